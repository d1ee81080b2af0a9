/** What the validators agree on in a cycle. */

import type { SnapshotError } from "../errors/snapshot-error.ts";
import type { VoteCollection } from "./vote-collection.ts";
import type { Agreement } from "./vote-tally.ts";

export interface AgreedHashes {
  readonly agreements: ReadonlyMap<number, Agreement>;
  readonly partitionHashes: ReadonlyMap<number, string>;
  readonly networkHash: string;
  /** The votes that prove it. */
  readonly votes: VoteCollection;
}

/** Too few validators have voted on that cycle so far. */
export interface NotYet {
  readonly notYet: SnapshotError;
}
