/** The error for a request body that was not read. */

export type BodyProblem =
  /** It has too many bytes. */
  | "too-large"
  /** Its chunks are too small. */
  | "fragmented"
  /** All bodies together take too much memory. */
  | "busy"
  /** Its connection ended before the body. */
  | "gone";

export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly code = "body";
  readonly problem: BodyProblem;

  constructor(problem: BodyProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
