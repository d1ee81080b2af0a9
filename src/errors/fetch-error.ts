/** Why a request to one node or archiver came to nothing. What it costs the node is decided elsewhere. */

export type FetchErrorKind =
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

export interface FetchErrorDetail {
  readonly status?: number;
  /** How long the node asked us to wait, milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class FetchError extends Error {
  override readonly name = "FetchError";
  readonly code = "fetch";
  readonly kind: FetchErrorKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FetchErrorKind, message: string, detail: FetchErrorDetail = {}) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause });
    this.kind = kind;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}
