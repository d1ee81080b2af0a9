/** What is known of each cycle of the window without a look into the database: how its count and its polls stand. */

import type { CycleTally } from "./cycle-tally.ts";

export interface CycleEntry {
  /** Once it is known who the cycle's nodes are. */
  tally: CycleTally | undefined;
  /** Polls that were made for it, and before which it is not polled for again. */
  polls: number;
  nextPoll: number;
}

export class CycleWindow {
  readonly #entries = new Map<number, CycleEntry>();

  entry(cycle: number): CycleEntry {
    let entry = this.#entries.get(cycle);
    if (entry === undefined) {
      entry = { tally: undefined, polls: 0, nextPoll: 0 };
      this.#entries.set(cycle, entry);
    }
    return entry;
  }

  /** What is known of a cycle, if anything. */
  find(cycle: number): CycleEntry | undefined {
    return this.#entries.get(cycle);
  }

  /** Forgets what is not in the window. */
  keepOnly(first: number, last: number): void {
    for (const known of this.#entries.keys()) {
      if (known < first || known > last) this.#entries.delete(known);
    }
  }
}
