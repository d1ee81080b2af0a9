/**
 * Decides which cycles are polled, and when: those without a hash, the newest first, and less often after each attempt.
 */

import { CyclePoll, type PollContext } from "./cycle-poll.ts";

/** After n polls of a cycle, it is skipped in 2^n polls, up to this n. */
const backoffMax = 10;

export class PollSchedule {
  readonly #context: PollContext;
  readonly #attempt: (action: () => Promise<void>) => Promise<void>;
  #polls = 0;

  /** @param attempt runs an action, and reports its failure */
  constructor(context: PollContext, attempt: (action: () => Promise<void>) => Promise<void>) {
    this.#context = context;
    this.#attempt = attempt;
  }

  /** Polls for at most `maxMs`: slow nodes must not delay the next reading of the lists. */
  async run(maxMs: number, signal: AbortSignal): Promise<void> {
    // Not AbortSignal.any: a signal that lives as long as the collector would keep every poll alive.
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = setTimeout(end, maxMs);
    signal.addEventListener("abort", end, { once: true });
    try {
      await this.#pollCycles(ending.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }

  async #pollCycles(signal: AbortSignal): Promise<void> {
    const { watch, cycles } = this.#context;
    this.#polls++;
    for (const cycle of watch.countable()) {
      const state = cycles.of(cycle);
      const validators = watch.validatorsOf(cycle);
      if (validators === undefined || state.tally?.isComplete === true) continue;
      if (state.nextPoll > this.#polls) continue;
      if (signal.aborted) return;
      const poll = new CyclePoll(cycle, validators, this.#context, signal);
      await this.#attempt(() => poll.run(state.polls));
      state.polls++;
      state.nextPoll = this.#polls + 2 ** Math.min(state.polls - 1, backoffMax);
    }
  }
}
