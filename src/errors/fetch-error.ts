/** Why a request to one node or archiver came to nothing. What it costs the node is decided elsewhere. */

export type FetchFailureKind =
  /** No connection: refused, no route, no such host. */
  | "unreachable"
  /** No TLS: the server does not speak it, or its certificate does not hold. */
  | "tls"
  /** No answer, or no more of one, within the stall timeout. */
  | "stalled"
  /** The connection ended before the answer did. */
  | "reset"
  /** An answer with another status than 200. */
  | "status"
  /** An answer that sends us elsewhere. */
  | "redirect"
  /** Bytes that are no HTTP, or no gzip where gzip was announced. */
  | "not-http"
  /** A body that crosses a bound. */
  | "too-large"
  /** We do not ask at that address, whatever is there. */
  | "not-asked"
  /** We ended it ourselves. */
  | "aborted";

export interface FetchFailureDetail {
  readonly status?: number;
  /** How long the node asked us to wait, milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class FetchFailure extends Error {
  override readonly name = "FetchFailure";
  readonly kind: FetchFailureKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FetchFailureKind, message: string, detail: FetchFailureDetail = {}) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause });
    this.kind = kind;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}
