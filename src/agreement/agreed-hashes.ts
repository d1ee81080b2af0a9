/** What the validators agree on in a cycle. */

import type { HashHex, Partition } from "../protocol/brands.ts";
import type { Undecided } from "./undecided.ts";
import type { VoteCollection } from "./vote-collection.ts";
import type { Agreement } from "./vote-tally.ts";

export interface AgreedHashes {
  readonly agreements: ReadonlyMap<Partition, Agreement>;
  readonly partitionHashes: ReadonlyMap<Partition, HashHex>;
  readonly networkHash: HashHex;
  /** The votes that prove it. */
  readonly votes: VoteCollection;
}

export type AgreementOutcome = { readonly kind: "agreed"; readonly agreed: AgreedHashes } | Undecided;
