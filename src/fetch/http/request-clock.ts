/** Ends a request that takes too long or that the library lost, and remembers why it ended. */

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

  /** @param what takes so long */
  giveUpAfter(timeoutMs: number, what: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.fail(new FetchError("stalled", `${what} took more than ${Math.floor(timeoutMs / 10) / 100} s`));
    }, timeoutMs);
    this.#timers.push(timer);
    return timer;
  }

  /** Ends the request; the first failure is the one that counts. */
  fail(failure: FetchError): void {
    this.#failure ??= failure;
    this.#ending.abort(this.#failure);
  }

  /** Why the request failed: what ended it, where that caused what was thrown. A bug stays one. */
  causeOf(thrown: unknown): unknown {
    if (!(thrown instanceof FetchError)) return thrown;
    if (this.#callerSignal?.aborted) return new FetchError("aborted", "ended by us", { cause: thrown });
    return this.#failure ?? thrown;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
