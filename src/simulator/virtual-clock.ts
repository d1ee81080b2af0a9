/** A clock that advances only when no other work is left: a run of hours takes milliseconds, and is reproducible. */

import { setImmediate } from "node:timers/promises";
import type { Clock } from "../sync/ports.ts";

interface Timer {
  readonly atMs: number;
  /** Timers of one moment fire in the order in which they were set. */
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** When a run is taken to have no end. */
export interface DriveBounds {
  readonly untilMs: number;
  readonly steps: number;
  /** Whether nothing but hope is left, which may take days. */
  readonly isStuck: () => boolean;
}

/** A run does not end. */
export class HangError extends Error {
  override readonly name = "HangError";
  readonly code = "hang";
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** A binary heap, the earliest timer first. */
  readonly #timers: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = { atMs: this.#nowMs + ms, order: this.#order++, fire: () => end(), isCancelled: false };
      const end = () => {
        timer.isCancelled = true;
        signal.removeEventListener("abort", end);
        resolve();
      };
      signal.addEventListener("abort", end);
      if (ms < Number.POSITIVE_INFINITY) this.#push(timer);
    });
  }

  /**
   * Advances time until a promise is settled.
   *
   * @throws HangError where nothing is left that could settle it, or it is not settled within the bounds
   */
  async drive<T>(promise: Promise<T>, { untilMs, steps, isStuck }: DriveBounds): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let step = 0; ; step++) {
      await setImmediate();
      if (isSettled) return await promise;
      const timer = this.#pop();
      if (timer === undefined) throw new HangError("nothing is left to wait for");
      if (timer.atMs > untilMs) throw new HangError(`no end after ${Math.round(untilMs)} ms of virtual time`);
      if (step > steps) throw new HangError(`no end after ${steps} steps`);
      if (isStuck())
        throw new HangError(`no end at ${Math.round(this.#nowMs)} ms: only peers that linger are left`);
      this.#nowMs = timer.atMs;
      timer.fire();
    }
  }

  #push(timer: Timer): void {
    const timers = this.#timers;
    let index = timers.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timers[index] as Timer, timers[parent] as Timer)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** The earliest timer that is not cancelled. */
  #pop(): Timer | undefined {
    for (;;) {
      const first = this.#timers[0];
      const last = this.#timers.pop();
      if (first === undefined || last === undefined) return undefined;
      if (last !== first) {
        this.#timers[0] = last;
        this.#sink();
      }
      if (!first.isCancelled) return first;
    }
  }

  #sink(): void {
    const timers = this.#timers;
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2])
        if (child < timers.length && isBefore(timers[child] as Timer, timers[least] as Timer)) least = child;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #swap(a: number, b: number): void {
    const timer = this.#timers[a] as Timer;
    this.#timers[a] = this.#timers[b] as Timer;
    this.#timers[b] = timer;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
