/**
 * The validators that are being served. There is a place for each that was served a moment ago, and no more than a number
 * of places, as at the published archiver (`config.maxValidatorsToServe`).
 */

import { validatorServedMs } from "../../limits/serve-archiver.ts";

export class ServedValidators {
  readonly #max: number;
  /** When each was served last, in milliseconds, the earliest first. */
  readonly #servedAt = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  hasPlaceFor(validator: string, nowMs: number): boolean {
    for (const [other, servedAtMs] of this.#servedAt) {
      if (nowMs - servedAtMs <= validatorServedMs) break;
      this.#servedAt.delete(other);
    }
    return this.#servedAt.has(validator) || this.#servedAt.size < this.#max;
  }

  serve(validator: string, nowMs: number): void {
    this.#servedAt.delete(validator);
    this.#servedAt.set(validator, nowMs);
  }

  get count(): number {
    return this.#servedAt.size;
  }
}
