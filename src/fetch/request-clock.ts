/** Ends a request that takes too long, and remembers that it was not somebody else who ended it. */

import { FetchFailure } from "./fetch-failure.ts";

export class RequestClock {
  readonly #ending = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Aborted by the clock, or by whoever asked. */
  readonly signal: AbortSignal;
  #failure: FetchFailure | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /** Why the clock ended the request; `undefined` where it did not. */
  get failure(): FetchFailure | undefined {
    return this.#failure;
  }

  /** @param what takes so long */
  giveUpAfter(timeoutMs: number, what: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#failure = new FetchFailure("stalled", `${what} took more than ${timeoutMs / 1000} s`);
      this.#ending.abort(this.#failure);
    }, timeoutMs);
    this.#timers.push(timer);
    return timer;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
