/** Why the votes of a cycle do not agree yet: too few of them are known. An older cycle may have more. */

import type { Problem } from "../errors/problem.ts";
import type { Cycle, Partition } from "../protocol/brands.ts";
import { counted } from "../text/counted.ts";
import type { Agreement, Quorum } from "./vote-tally.ts";

export type Undecided =
  /** No validator has sent a vote, and one states that the cycle is not finalized. */
  | { readonly kind: "not-finalized"; readonly cycle: Cycle }
  | { readonly kind: "no-votes"; readonly cycle: Cycle; readonly failures: readonly string[] }
  | NoQuorum;

export interface NoQuorum {
  readonly kind: "no-quorum";
  readonly cycle: Cycle;
  readonly voters: number;
  readonly numNodes: number;
  readonly quorum: Quorum;
  readonly open: readonly OpenPartition[];
  /** The failed requests, each as a sentence. */
  readonly failures: readonly string[];
}

/** A partition whose votes do not agree, and its votes; `undefined` without a vote. */
export interface OpenPartition {
  readonly partition: Partition;
  readonly agreement: Agreement | undefined;
}

const itemsShown = 3;

export function describeUndecided(undecided: Undecided): Problem {
  const { cycle } = undecided;
  switch (undecided.kind) {
    case "not-finalized":
      return {
        code: "temporary",
        message: `cycle ${cycle} is not finalized yet`,
        hint: "Try again in a minute.",
      };
    case "no-votes": {
      const message = `no agreed hash for cycle ${cycle}: none of the queried validators has its gossip`;
      const cause = describeFailures(undecided.failures) || "The cycle may be too old, or not finalized yet.";
      const hint = `${cause} Give votes from another source: --gossip, --hash-db or --evidence.`;
      return { code: "no-agreement", message, hint };
    }
    case "no-quorum":
      return describeNoQuorum(undecided);
  }
}

export function describeNoQuorum({ cycle, voters, numNodes, quorum, open, failures }: NoQuorum): Problem {
  const have = `${voters} of ${counted(numNodes, "node")} have voted`;
  const message = `no agreed hash for cycle ${cycle} (${have}): ${firstFew(open.map(describeVotes))}`;
  const rule =
    quorum === "majority"
      ? "More than half of the nodes that cover a partition must vote for one hash."
      : "Half of the nodes that cover a partition must have voted.";
  return { code: "no-agreement", message, hint: `${rule} ${describeFailures(failures)}`.trim() };
}

function describeFailures(failures: readonly string[]): string {
  return failures.length === 0 ? "" : `Requests to these nodes failed: ${firstFew(failures)}.`;
}

function describeVotes({ partition, agreement }: OpenPartition): string {
  if (agreement === undefined) return `partition ${partition} has no vote`;
  const { votesFor, votesAgainst, outOf } = agreement;
  return `partition ${partition} has ${counted(votesFor, "vote")} for its most popular hash and ${votesAgainst} against, of ${outOf}`;
}

function firstFew(items: readonly string[]): string {
  const more = items.length > itemsShown ? `; and ${items.length - itemsShown} more` : "";
  return `${items.slice(0, itemsShown).join("; ")}${more}`;
}
