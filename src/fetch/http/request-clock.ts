/** Ends a request that takes too long or that the library lost, and keeps the reason. */

import { FetchError } from "../../errors/fetch-error.ts";

export class RequestClock {
  readonly #ending = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #callerSignal: AbortSignal | undefined;
  /** Aborted by the clock, or by the caller. */
  readonly signal: AbortSignal;
  #failure: FetchError | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#callerSignal = signal;
    this.signal = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /**
   * Fails the request after a time.
   *
   * @param what the part of the request that took too long, for the message
   */
  giveUpAfter(timeoutMs: number, what: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.fail(new FetchError("stalled", `${what} took more than ${Math.floor(timeoutMs / 10) / 100} s`));
    }, timeoutMs);
    this.#timers.push(timer);
    return timer;
  }

  /** Ends the request. Only the first failure counts. */
  fail(failure: FetchError): void {
    this.#failure ??= failure;
    this.#ending.abort(this.#failure);
  }

  /** Returns the failure that caused a thrown FetchError; other errors, which are bugs, are returned unchanged. */
  causeOf(thrown: unknown): unknown {
    if (!(thrown instanceof FetchError)) return thrown;
    if (this.#callerSignal?.aborted)
      return new FetchError("aborted", "aborted by this program", { cause: thrown });
    return this.#failure ?? thrown;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
