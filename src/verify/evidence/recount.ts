/** Recounts the votes of the evidence under the sharding settings and the quorum that the auditor requires. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { partitionKey } from "../../format/artifact.ts";
import { GOSSIP_FILE } from "../../format/evidence/gossip.ts";
import { NODE_LIST_FILE } from "../../format/evidence/node-list.ts";
import { nodesMax } from "../../limits/network.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { allPartitions, makeShard, type Shard } from "../../protocol/shard.ts";
import { counted } from "../../text/counted.ts";
import type { Claim } from "../findings/claims.ts";
import type { PartitionVotes } from "../findings/findings.ts";
import type { Audit } from "./audit.ts";
import type { AuditedSharding } from "./sharding.ts";
import { type CountedVotes, countVotes } from "./votes.ts";

const POPULAR_NOTE =
  "votes were counted by the upstream's rule: the most popular hash of at least half, which need not be a majority";

export interface Recount {
  readonly votes: readonly PartitionVotes[];
  /** The claim about the sharding settings, which the votes may prove. */
  readonly sharding: Claim;
}

export async function recountVotes(
  audit: Audit,
  nodes: readonly ActiveNode[] | undefined,
  { settings, claim, isRecorded }: AuditedSharding,
  quorum: Quorum,
  isListTrusted: boolean,
): Promise<Recount> {
  const { numPartitions } = audit.subject.manifest.snapshot;
  const nothing: Recount = { votes: [], sharding: claim };
  if (nodes === undefined) return nothing;
  if (nodes.length !== numPartitions) {
    const problem = `the list has ${counted(nodes.length, "node")} with an ID, for ${counted(numPartitions, "partition")}`;
    audit.findings.add("node-list", NODE_LIST_FILE, problem);
    return nothing;
  }
  const shard = settings === undefined ? undefined : shardOf(numPartitions, settings);
  const tallied = await countVotes(audit, nodes, quorum === "popular" ? shard?.consensusRadius : undefined);
  if (shard !== undefined && settings?.nodesPerEdge !== undefined) {
    checkShown(audit, shard, tallied, isRecorded);
  }
  const isIndependent = claim.basis === "told" && isListTrusted && quorum === "majority";
  const sharding = isIndependent ? (anyGroupSize(audit, numPartitions, tallied) ?? claim) : claim;
  if (shard === undefined) return { votes: [], sharding };
  if (quorum === "popular") audit.note(POPULAR_NOTE);
  return { votes: tally(audit, shard, quorum, tallied), sharding };
}

function shardOf(numNodes: number, settings: NonNullable<AuditedSharding["settings"]>): Shard {
  const { nodesPerConsensusGroup, nodesPerEdge } = settings;
  return makeShard({
    numNodes,
    // A larger group covers no more than all nodes.
    nodesPerConsensusGroup: Math.min(nodesPerConsensusGroup, 2 * nodesMax + 1),
    ...(nodesPerEdge === undefined ? {} : { nodesPerEdge: Math.min(nodesPerEdge, nodesMax) }),
  });
}

function tally(
  audit: Audit,
  shard: Shard,
  quorum: Quorum,
  { votes, popular }: CountedVotes,
): PartitionVotes[] {
  const { entries } = audit.subject;
  return allPartitions(shard).map((partition) => {
    const { votesFor, votesAgainst, outOf } = votes.of(partition, shard.consensusRadius);
    const isAccepted =
      quorum === "majority"
        ? votesFor * 2 > outOf
        : votesFor + votesAgainst >= Math.ceil(outOf / 2) &&
          popular?.get(partition) === entries.get(partitionKey(partition));
    if (!isAccepted) {
      const count = `${counted(votesFor, "vote")} for its hash and ${votesAgainst} against, of ${outOf}`;
      audit.findings.add("no-agreement", GOSSIP_FILE, `partition ${partition} has ${count}`);
    }
    return { partition, votesFor, votesAgainst, outOf };
  });
}

/** Checks the settings against the signed messages: they are false if most senders list other partitions. */
function checkShown(
  audit: Audit,
  shard: Shard,
  { messages, shownRadii }: CountedVotes,
  isRecorded: boolean,
): void {
  const claimed = Math.min(shard.storeRadius, Math.floor(shard.numNodes / 2));
  const others = messages - (shownRadii.get(claimed) ?? 0);
  if (others * 2 <= messages) return;
  const problem = `${others} of ${messages} signed messages list other partitions than their senders store under these settings`;
  // Settings that the network has recorded take precedence over its messages.
  if (isRecorded) audit.note(problem);
  else audit.findings.add("sharding", GOSSIP_FILE, problem);
}

/**
 * Returns a proof without settings: every hash has a majority at every radius that nodes can vote on, so the group size
 * does not matter. The signed messages of most nodes show the largest such radius, because no node votes on partitions
 * that it does not store.
 */
function anyGroupSize(audit: Audit, numNodes: number, tallied: CountedVotes): Claim | undefined {
  const { votes, shownRadii } = tallied;
  const shown = [...shownRadii].find(([, count]) => count * 2 > numNodes);
  if (shown === undefined) return undefined;
  const [storeRadius] = shown;
  const withoutMajority = allPartitions(makeShard({ numNodes })).filter(
    (partition) => votes.firstWithoutMajority(partition, storeRadius) !== undefined,
  );
  if (withoutMajority.length > 0) {
    audit.note(
      `${counted(withoutMajority.length, "partition")} ${withoutMajority.length === 1 ? "has" : "have"} no majority for some group sizes, the first is ${withoutMajority[0]}`,
    );
    return undefined;
  }
  const detail = `every hash has a majority at any group size up to ${2 * storeRadius + 1}, and the nodes store no more`;
  return { claim: "sharding", basis: "proved", detail };
}
