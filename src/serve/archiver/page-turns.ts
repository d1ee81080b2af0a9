/** Bounds the pages in memory and the bytes per second that they are sent with. */

import {
  bandwidthWaitMaxMs,
  restorePagesAtOnce,
  restorePagesWaitingMax,
} from "../../limits/serve-archiver.ts";

/** A turn, which ends once. */
export type EndTurn = () => void;

export class PageTurns {
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** Waits for a turn. Returns `undefined` if too many others wait. */
  async take(): Promise<EndTurn | undefined> {
    if (this.#taken >= restorePagesAtOnce) {
      if (this.#waiting.length >= restorePagesWaitingMax) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#taken++;
    }
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken--;
      else next();
    };
  }
}

export class Bandwidth {
  readonly #bytesPerSecond: number;
  /** When everything that was let through has been sent, in milliseconds. */
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number = Number.POSITIVE_INFINITY) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Returns how long a response has to wait, in milliseconds; `undefined` if its client would give up meanwhile. */
  waitFor(bytes: number, nowMs: number): number | undefined {
    const startMs = Math.max(this.#freeAtMs, nowMs);
    const waitMs = startMs - nowMs;
    if (waitMs > bandwidthWaitMaxMs) return undefined;
    this.#freeAtMs = startMs + (bytes * 1000) / this.#bytesPerSecond;
    return waitMs;
  }
}
