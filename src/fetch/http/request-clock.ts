/** Ends a request that takes too long or can no longer end by itself, and remembers that it was not somebody else who ended it. */

import { FetchError } from "../../errors/fetch-error.ts";

export class RequestClock {
  readonly #ending = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Aborted by the clock, or by whoever asked. */
  readonly signal: AbortSignal;
  #failure: FetchError | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /** Why the clock ended the request; `undefined` where it did not. */
  get failure(): FetchError | undefined {
    return this.#failure;
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

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
