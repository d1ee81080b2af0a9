/**
 * The snapshots that a validator holds, and what it answers about any other moment (PROTOCOL.md, Time
 * and Partial snapshots).
 */

import type { AccountSource } from "./account-source.ts";
import { Refusal } from "./refusal.ts";

/** The cycles so far: they follow one another without gap, all of one duration. */
export interface CycleClock {
  /** When cycle 0 started, in milliseconds. */
  readonly startMs: number;
  readonly durationMs: number;
  /** When the newest finalized cycle ended, in milliseconds. */
  readonly finalizedMs: () => number;
}

export class HeldSnapshots {
  readonly #clock: CycleClock;
  readonly #sources = new Map<number, AccountSource>();

  constructor(clock: CycleClock) {
    this.#clock = clock;
  }

  hold(timestampMs: number, source: AccountSource): void {
    this.#sources.set(timestampMs, source);
  }

  /** @throws Refusal with status 400, 404 or 425 */
  find(timestampMs: number): AccountSource {
    const { startMs, durationMs } = this.#clock;
    const sinceStartMs = timestampMs - startMs;
    if (sinceStartMs < durationMs || sinceStartMs % durationMs !== 0) {
      throw new Refusal(400, `timestamp: ${timestampMs} is not the end of a cycle`);
    }
    const finalizedMs = this.#clock.finalizedMs();
    if (timestampMs > finalizedMs) {
      const retryAfterSeconds = Math.ceil((timestampMs - finalizedMs) / 1000);
      throw new Refusal(425, `the cycle that ends at ${timestampMs} is not finalized yet`, {
        retryAfterSeconds,
      });
    }
    const source = this.#sources.get(timestampMs);
    if (source === undefined) throw new Refusal(404, `no snapshot is held for ${timestampMs}`);
    return source;
  }
}
