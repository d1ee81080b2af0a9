/** The failure of a response's content. Partitions that were committed before it stay committed. */

export type ResponseErrorKind =
  /** The response is not `{"snapshot":[…]}`, or contains a record that is not an account. */
  | "malformed"
  /** The response ends before `]}`. */
  | "truncated"
  /** A record, white space, repeated accounts or foreign accounts exceed their bound. */
  | "too-large"
  /** The response exceeds the byte budget, which other peers have not exceeded yet. It may be correct. */
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
