/** The failure of a request to one node or archiver. Other files decide what it costs the node. */

export type FetchErrorKind =
  /** No connection: refused, no route, no such host. */
  | "unreachable"
  /** No TLS: the server does not support it, or its certificate is invalid. */
  | "tls"
  /** No bytes within the stall timeout. */
  | "stalled"
  /** The connection ended before the response did. */
  | "reset"
  /** A response with a status other than 200. */
  | "status"
  /** A redirect, which is not followed. */
  | "redirect"
  /** Bytes that are not HTTP, or not gzip although the header states gzip. */
  | "not-http"
  /** A body that crosses a bound. */
  | "too-large"
  /** An address to which the program sends no request. */
  | "not-asked"
  /** The program ended the request. */
  | "aborted";

export interface FetchErrorDetail {
  readonly status?: number;
  /** The delay that the node requested, milliseconds. */
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
