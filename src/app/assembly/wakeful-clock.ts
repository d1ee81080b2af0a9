/**
 * A clock that stops while the process is paused, by a busy processor or a sleeping machine. After a pause, received
 * bytes still wait to be read; by the system's clock, every peer would be a straggler.
 */

import { stragglerCheckMs } from "../../limits/sync.ts";
import type { Clock } from "../../sync/ports.ts";

/** A longer time between two beats is a pause of the process. */
const beatMaxMs = 2 * stragglerCheckMs;

/** The longest delay of a timer of Node. */
const timerMaxMs = 2 ** 31 - 1;

export class WakefulClock implements Clock {
  readonly #systemMs: () => number;
  /** The time at the last beat, by this clock and by the system's. */
  #untilBeatMs = 0;
  #beatAtMs: number;

  constructor(systemMs: () => number = () => performance.now()) {
    this.#systemMs = systemMs;
    this.#beatAtMs = systemMs();
  }

  nowMs(): number {
    return this.#untilBeatMs + Math.min(this.#systemMs() - this.#beatAtMs, beatMaxMs);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, timerMaxMs));
      signal.addEventListener("abort", done);
    });
  }

  /** Advances the clock every {@link stragglerCheckMs}, until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => this.beat(), stragglerCheckMs);
    return () => clearInterval(timer);
  }

  beat(): void {
    this.#untilBeatMs = this.nowMs();
    this.#beatAtMs = this.#systemMs();
  }
}
