/** The status of a collector, which is also the body of `/healthz`. */

import { messageOf } from "../errors/snapshot-error.ts";
import type { HashCounts, HashDatabase } from "../store/hash-database/hash-database.ts";
import type { NetworkWatch } from "./network/network-watch.ts";
import type { PushCounts } from "./server/push-handler.ts";

export interface CollectStatus {
  /** Whether the last reading of the lists, and the last write, succeeded. */
  readonly ok: boolean;
  /** Null until the lists have been read. */
  readonly newestCycle: number | null;
  readonly cycles: { readonly first: number | null; readonly last: number | null; readonly agreed: number };
  readonly messages: number;
  readonly nodes: number;
  readonly pushed: { readonly stored: number; readonly known: number; readonly refused: number };
  /** When the lists were last read: ISO 8601. */
  readonly lastPoll: string | null;
  readonly lastError: { readonly at: string; readonly message: string } | null;
}

/** Counting rows is slow in a large database, so the counts are reported for this time before they are renewed. */
const countsMaxAgeMs = 1_000;

export class StatusReport {
  readonly #database: HashDatabase;
  readonly #watch: NetworkWatch;
  readonly #pushed: PushCounts;
  #lastPoll: Date | undefined;
  #lastError: { readonly at: string; readonly message: string } | undefined;
  #isFailing = false;
  #counts: { readonly atMs: number; readonly counts: HashCounts } | undefined;

  constructor(database: HashDatabase, watch: NetworkWatch, pushed: PushCounts) {
    this.#database = database;
    this.#watch = watch;
    this.#pushed = pushed;
  }

  succeeded(): void {
    this.#lastPoll = new Date();
    this.#isFailing = false;
  }

  failed(error: unknown): void {
    this.#isFailing = true;
    this.#lastError = { at: new Date().toISOString(), message: messageOf(error) };
  }

  /** @param isExact whether the rows are counted anew */
  status({ isExact = false } = {}): CollectStatus {
    const nowMs = performance.now();
    if (isExact || this.#counts === undefined || nowMs - this.#counts.atMs > countsMaxAgeMs) {
      this.#counts = { atMs: nowMs, counts: this.#database.counts() };
    }
    const { messages, firstCycle: first, lastCycle: last, agreedCycles: agreed } = this.#counts.counts;
    return {
      ok: !this.#isFailing,
      newestCycle: this.#watch.isRead ? this.#watch.newest.counter : null,
      cycles: { first, last, agreed },
      messages,
      nodes: this.#watch.isRead ? this.#watch.current.nodes.length : 0,
      pushed: { ...this.#pushed },
      lastPoll: this.#lastPoll?.toISOString() ?? null,
      lastError: this.#lastError ?? null,
    };
  }
}
