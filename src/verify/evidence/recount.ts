/** Recounts the votes of the evidence under the sharding settings and the quorum that the auditor requires. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { partitionKey } from "../../format/artifact.ts";
import { GOSSIP_FILE } from "../../format/evidence/gossip.ts";
import { NODE_LIST_FILE } from "../../format/evidence/node-list.ts";
import { nodesMax } from "../../limits/network.ts";
import { isHashHex, type Partition } from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { allPartitions, makeShard, type Shard } from "../../protocol/shard.ts";
import { counted } from "../../text/counted.ts";
import type { Claim } from "../findings/claims.ts";
import type { PartitionVotes } from "../findings/findings.ts";
import type { Audit } from "./audit.ts";
import { GroupSizeProof } from "./group-size-proof.ts";
import type { AuditedSharding } from "./sharding.ts";
import { SnapshotTally } from "./snapshot-tally.ts";
import { countVotes, type ShownByVotes } from "./votes.ts";

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
  const hashOf = (partition: Partition) => {
    const entry = audit.subject.entries.get(partitionKey(partition));
    return isHashHex(entry) ? entry : undefined;
  };
  const tally = shard === undefined ? undefined : new SnapshotTally(shard, quorum, hashOf);
  const isIndependent = claim.basis === "told" && isListTrusted && quorum === "majority";
  const proof = isIndependent ? new GroupSizeProof(numPartitions, hashOf) : undefined;
  const shown = await countVotes(audit, nodes, { tally, proof });
  if (shard !== undefined && settings?.nodesPerEdge !== undefined) {
    checkShown(audit, shard, shown, isRecorded);
  }
  const proved = proof === undefined ? undefined : anyGroupSize(audit, numPartitions, proof, shown);
  const sharding = proved ?? claim;
  if (shard === undefined || tally === undefined) return { votes: [], sharding };
  if (quorum === "popular") audit.note(POPULAR_NOTE);
  return { votes: votesOf(audit, shard, tally), sharding };
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

function votesOf(audit: Audit, shard: Shard, tally: SnapshotTally): PartitionVotes[] {
  return allPartitions(shard).map((partition) => {
    const { isAgreed, ...votes } = tally.of(partition);
    if (!isAgreed) {
      const { votesFor, votesAgainst, outOf } = votes;
      const count = `${counted(votesFor, "vote")} for its hash and ${votesAgainst} against, of ${outOf}`;
      audit.findings.add("no-agreement", GOSSIP_FILE, `partition ${partition} has ${count}`);
    }
    return votes;
  });
}

/** Checks the settings against the signed messages: they are false if most senders list other partitions. */
function checkShown(
  audit: Audit,
  shard: Shard,
  { messages, shownRadii }: ShownByVotes,
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
function anyGroupSize(
  audit: Audit,
  numNodes: number,
  proof: GroupSizeProof,
  { shownRadii }: ShownByVotes,
): Claim | undefined {
  const shown = [...shownRadii].find(([, count]) => count * 2 > numNodes);
  if (shown === undefined) return undefined;
  const [storeRadius] = shown;
  const withoutMajority = allPartitions(makeShard({ numNodes })).filter(
    (partition) => proof.firstWithoutMajority(partition, storeRadius) !== undefined,
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
