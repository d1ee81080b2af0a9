/**
 * A clock that stands still while the process does. After a pause (a busy processor, a machine that slept), what others
 * sent meanwhile still waits to be read: by any other clock they would all be stragglers.
 */

import { stragglerCheckMs } from "../../limits/sync.ts";
import type { Clock } from "../../sync/ports.ts";

/** A beat that comes later than this was held up by us. */
const beatMaxMs = 2 * stragglerCheckMs;

/** What a timer of Node can wait for. */
const timerMaxMs = 2 ** 31 - 1;

export class WakefulClock implements Clock {
  readonly #systemMs: () => number;
  /** Time until the last beat, and when that was by the system's clock. */
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

  /** Lets the clock go on, at every {@link stragglerCheckMs}, until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => this.beat(), stragglerCheckMs);
    return () => clearInterval(timer);
  }

  beat(): void {
    this.#untilBeatMs = this.nowMs();
    this.#beatAtMs = this.#systemMs();
  }
}
