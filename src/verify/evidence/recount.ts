/** Counts the votes of the evidence again, under the sharding settings and the quorum that the auditor demands. */

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
  /** What the sharding settings rest on, now that the votes are known. */
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
    // More nodes than a network can have cover as much as all of them.
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
    const isCarried =
      quorum === "majority"
        ? votesFor * 2 > outOf
        : votesFor + votesAgainst >= Math.ceil(outOf / 2) &&
          popular?.get(partition) === entries.get(partitionKey(partition));
    if (!isCarried) {
      const count = `${counted(votesFor, "vote")} for its hash and ${votesAgainst} against, of ${outOf}`;
      audit.findings.add("no-agreement", GOSSIP_FILE, `partition ${partition} has ${count}`);
    }
    return { partition, votesFor, votesAgainst, outOf };
  });
}

/** Signed messages show the geometry: settings under which most senders would store other partitions are false. */
function checkShown(
  audit: Audit,
  shard: Shard,
  { messages, shownRadii }: CountedVotes,
  isRecorded: boolean,
): void {
  const claimed = Math.min(shard.storeRadius, Math.floor(shard.numNodes / 2));
  const others = messages - (shownRadii.get(claimed) ?? 0);
  if (others * 2 <= messages) return;
  const problem = `${others} of ${messages} signed messages list other partitions than these settings let their senders store`;
  // What the network itself has recorded outweighs what its nodes show.
  if (isRecorded) audit.note(problem);
  else audit.findings.add("sharding", GOSSIP_FILE, problem);
}

/**
 * A majority at every radius that the nodes can vote on needs no settings at all: however large the groups are, each
 * hash is carried. Which radii these are, the signed messages of most nodes show: no node votes on what it does not
 * store.
 */
function anyGroupSize(audit: Audit, numNodes: number, tallied: CountedVotes): Claim | undefined {
  const { votes, shownRadii } = tallied;
  const shown = [...shownRadii].find(([, count]) => count * 2 > numNodes);
  if (shown === undefined) return undefined;
  const [storeRadius] = shown;
  const uncarried = allPartitions(makeShard({ numNodes })).filter(
    (partition) => votes.firstUncarried(partition, storeRadius) !== undefined,
  );
  if (uncarried.length > 0) {
    audit.note(
      `${counted(uncarried.length, "partition")} ${uncarried.length === 1 ? "has" : "have"} no majority for some group sizes, the first is ${uncarried[0]}`,
    );
    return undefined;
  }
  const detail = `every hash has its majority at any group size up to ${2 * storeRadius + 1}, and the nodes store no more`;
  return { claim: "sharding", basis: "proved", detail };
}
