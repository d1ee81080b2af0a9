/**
 * The snapshots that a validator holds, and its errors for any other timestamp (PROTOCOL.md, Time and Partial
 * snapshots).
 */

import { HttpError } from "../../http-server/http-error.ts";
import type { AccountSource } from "./state/account-source.ts";

/** The cycles so far: without gaps, and all of one duration. */
export interface CycleClock {
  /** The start of cycle 0, in milliseconds. */
  readonly startMs: number;
  /** 0 while it is unknown. */
  readonly durationMs: number;
  /** The end of the newest finalized cycle, in milliseconds. */
  readonly finalizedMs: number;
}

/** The delay of a retry where the snapshot will exist soon. */
const retryAfterSeconds = 1;

export class HeldSnapshots {
  readonly #clock: () => CycleClock;
  readonly #isExpected: (timestampMs: number) => boolean;
  #sources = new Map<number, AccountSource>();

  /** @param isExpected whether a snapshot that is not held is being exported */
  constructor(clock: () => CycleClock, isExpected: (timestampMs: number) => boolean = () => false) {
    this.#clock = clock;
    this.#isExpected = isExpected;
  }

  /** In milliseconds, ascending. */
  get timestamps(): number[] {
    return [...this.#sources.keys()].sort((a, b) => a - b);
  }

  /** Replaces the held snapshots. */
  hold(snapshots: Iterable<readonly [timestampMs: number, AccountSource]>): void {
    this.#sources = new Map(snapshots);
  }

  /**
   * Returns the accounts of the snapshot of a moment, in milliseconds.
   *
   * @throws HttpError with status 400, 404, 425 or 503
   */
  find(timestampMs: number): AccountSource {
    const { startMs, durationMs, finalizedMs } = this.#clock();
    if (durationMs === 0) {
      throw new HttpError(503, "this validator is starting", { retryAfterSeconds });
    }
    const sinceStartMs = timestampMs - startMs;
    if (sinceStartMs < durationMs || sinceStartMs % durationMs !== 0) {
      throw new HttpError(400, `timestamp: ${timestampMs} is not the end of a cycle`);
    }
    if (timestampMs > finalizedMs) {
      const secondsLeft = Math.ceil((timestampMs - finalizedMs) / 1000);
      throw new HttpError(425, `the cycle that ends at ${timestampMs} is not finalized yet`, {
        retryAfterSeconds: secondsLeft,
      });
    }
    const source = this.#sources.get(timestampMs);
    if (source !== undefined) return source;
    if (this.#isExpected(timestampMs)) {
      throw new HttpError(425, `the snapshot for ${timestampMs} is being exported`, {
        retryAfterSeconds,
      });
    }
    throw new HttpError(404, `no snapshot is held for ${timestampMs}`);
  }
}
