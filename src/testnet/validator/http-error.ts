/** An answer other than 200 (PROTOCOL.md, Partial snapshots, the table of statuses). */

export interface RefusalOptions {
  readonly retryAfterSeconds?: number;
}

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
