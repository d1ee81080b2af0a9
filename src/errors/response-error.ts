/** What makes the rest of an answer useless. What was merged before it stays. */

export type ResponseErrorKind =
  /** It is not `{"snapshot":[…]}`, or a record in it is no account. */
  | "malformed"
  /** It ends before `]}`. */
  | "truncated"
  /** A record, white space, repetitions or foreign accounts beyond their bounds. */
  | "too-large"
  /** More than is taken from one node before others have sent as much: it may be right. */
  | "over-budget";

export class ResponseError extends Error {
  override readonly name = "ResponseError";
  readonly code = "response";
  readonly kind: ResponseErrorKind;

  constructor(kind: ResponseErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
