/** Why the body of a request was not read. */

export type BodyProblem =
  /** It has more bytes than the request may have. */
  | "too-large"
  /** Its chunks are too small. */
  | "fragmented"
  /** All bodies together take too much memory. */
  | "busy"
  /** Its connection ended. */
  | "gone";

export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly problem: BodyProblem;

  constructor(problem: BodyProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
