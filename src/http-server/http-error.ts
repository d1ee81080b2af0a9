/** A response with a status other than 200 (PROTOCOL.md, Partial snapshots, the table of statuses). */

export interface HttpErrorOptions {
  readonly retryAfterSeconds?: number;
}

export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code = "http";
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
