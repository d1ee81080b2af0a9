/**
 * What is known of each cycle of the window without a look into the database: who was heard, under which
 * signature, and how the count stands.
 */

import { createHash } from "node:crypto";
import type { CycleTally } from "./cycle-tally.ts";

/** A sender's message of a cycle. */
export interface Heard {
  /** What its signature is over: two messages with the same one are the same. */
  readonly hash: string;
  /** Of its text: the same text need not be checked again. */
  readonly print: string;
  /** Of the text of a second, different one that is kept as well: then nothing more of this sender is. */
  contradictingPrint: string | undefined;
  /** Until it is committed. */
  saved: Promise<unknown> | undefined;
}

/** A short text that no two texts have in common. */
export function printOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

export interface CycleEntry {
  readonly heard: Map<string, Heard>;
  /** Once it is known who the cycle's nodes are. */
  tally: CycleTally | undefined;
  /** Polls that were made for it, and before which it is not polled for again. */
  polls: number;
  nextPoll: number;
}

export class CycleBook {
  readonly #entries = new Map<number, CycleEntry>();

  entry(cycle: number): CycleEntry {
    let entry = this.#entries.get(cycle);
    if (entry === undefined) {
      entry = { heard: new Map(), tally: undefined, polls: 0, nextPoll: 0 };
      this.#entries.set(cycle, entry);
    }
    return entry;
  }

  /** What has been written down of a cycle, if anything. */
  find(cycle: number): CycleEntry | undefined {
    return this.#entries.get(cycle);
  }

  /** Forgets what has left the window. */
  dropBefore(cycle: number): void {
    for (const known of this.#entries.keys()) {
      if (known < cycle) this.#entries.delete(known);
    }
  }
}
