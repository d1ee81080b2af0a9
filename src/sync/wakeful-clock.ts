/**
 * A clock that stands still while we do. After a pause of ours (a busy processor, a machine that slept), what
 * others sent meanwhile still waits to be read: by any other clock they would all be late.
 */

import { latenessCheckMs } from "../limits/limits.ts";

/** A beat that comes later than this was held up by us. */
const beatMaxMs = 2 * latenessCheckMs;

export class WakefulClock {
  readonly #nowMs: () => number;
  /** Time until the last beat, and when that was by the other clock. */
  #untilBeatMs = 0;
  #beatAtMs: number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#beatAtMs = nowMs();
  }

  /** Milliseconds, from a beginning of its own. */
  get nowMs(): number {
    return this.#untilBeatMs + Math.min(this.#nowMs() - this.#beatAtMs, beatMaxMs);
  }

  /** Lets the clock go on, at every {@link latenessCheckMs}, until the answered function is called. */
  start(): () => void {
    const timer = setInterval(() => this.beat(), latenessCheckMs);
    return () => clearInterval(timer);
  }

  beat(): void {
    this.#untilBeatMs = this.nowMs;
    this.#beatAtMs = this.#nowMs();
  }
}
