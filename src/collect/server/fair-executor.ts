/**
 * Runs work on pushed messages in slices of time. Between two slices, connections are accepted and responses written;
 * within one, address prefixes take turns.
 */

import { pushSliceMs } from "../../limits/collect.ts";
import { FairQueue } from "./fair-queue.ts";

export class FairExecutor {
  readonly #queue = new FairQueue<() => void>();
  #sliceStartedMs = Number.NEGATIVE_INFINITY;
  #isScheduled = false;

  /** Runs a short piece of work when its turn comes. */
  run<T>(work: () => T, address: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job = () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      this.#queue.push(job, address);
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => this.#slice());
    });
  }

  #slice(): void {
    this.#sliceStartedMs = performance.now();
    do {
      const job = this.#queue.shift();
      if (job === undefined) break;
      job();
    } while (performance.now() - this.#sliceStartedMs < pushSliceMs);
    this.#isScheduled = this.#queue.size > 0;
    if (this.#isScheduled) setImmediate(() => this.#slice());
  }
}
