/** What the validators agree on in a cycle. */

import type { Undecided } from "./undecided.ts";
import type { VoteCollection } from "./vote-collection.ts";
import type { Agreement } from "./vote-tally.ts";

export interface AgreedHashes {
  readonly agreements: ReadonlyMap<number, Agreement>;
  readonly partitionHashes: ReadonlyMap<number, string>;
  readonly networkHash: string;
  /** The votes that prove it. */
  readonly votes: VoteCollection;
}

export type AgreementOutcome = { readonly kind: "agreed"; readonly agreed: AgreedHashes } | Undecided;
