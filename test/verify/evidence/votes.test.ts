import { describe, expect, it } from "vitest";
import type { Quorum } from "../../../src/agreement/vote-tally.ts";
import { gossipLineBytesMax } from "../../../src/format/evidence/gossip.ts";
import {
  asCycle,
  asPartition,
  type Cycle,
  type HashHex,
  type Partition,
} from "../../../src/protocol/brands.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { GroupSizeProof } from "../../../src/verify/evidence/group-size-proof.ts";
import { SnapshotTally } from "../../../src/verify/evidence/snapshot-tally.ts";
import { countVotes } from "../../../src/verify/evidence/votes.ts";
import { nodes } from "../../agreement/test-votes.ts";
import { asHashes } from "../../helpers/brands.ts";
import { auditOf, cycle, findingsOf, hashes, identities, voteOf } from "../written-snapshot.ts";

async function count(gossip: readonly string[], nodesPerConsensusGroup = 3, quorum: Quorum = "majority") {
  const audit = await auditOf({ gossip });
  const shard = makeShard({ numNodes: nodes.length, nodesPerConsensusGroup });
  const tally = new SnapshotTally(shard, quorum, (partition) => hashes.get(partition));
  const shown = await countVotes(audit, nodes, { tally, proof: undefined });
  return { ...shown, tally, findings: findingsOf(audit), notes: audit.notes };
}

function messageOf(index: number, of: ReadonlyMap<Partition, HashHex>, inCycle: Cycle = cycle): string {
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  return JSON.stringify(makeVote(identity, inCycle, of));
}

const lie = "f".repeat(64);

describe("the votes of the evidence", () => {
  it("are counted by partition, of the nodes that cover it", async () => {
    const gossip = [voteOf(0), voteOf(1, { 0: lie })];
    const { tally, messages, shownRadii, findings } = await count(gossip);
    expect(messages).toBe(2);
    expect(tally.of(asPartition(0))).toMatchObject({ votesFor: 1, votesAgainst: 1, outOf: 3 });
    expect([...shownRadii]).toEqual([[1, 2]]);
    expect(findings).toEqual([]);
    const alone = await count(gossip, 1);
    expect(alone.tally.of(asPartition(0))).toMatchObject({
      votesFor: 1,
      votesAgainst: 0,
      outOf: 1,
      isAgreed: true,
    });
  });

  it("prove a group size if a proof is requested", async () => {
    const audit = await auditOf({ gossip: [voteOf(0), voteOf(1)] });
    const proof = new GroupSizeProof(nodes.length, (partition) => hashes.get(partition));
    await countVotes(audit, nodes, { tally: undefined, proof });
    expect([0, 2].map((partition) => proof.firstWithoutMajority(asPartition(partition), 2))).toEqual([2, 0]);
  });

  it("have a finding for a duplicate, a forged message, one of another cycle, and a text that is not a message", async () => {
    const forged = voteOf(1).replace(hashes.get(asPartition(1)) ?? "", lie);
    const late = messageOf(2, asHashes([[2, hashes.get(asPartition(2)) ?? ""]]), asCycle(cycle + 1));
    const { messages, findings } = await count([voteOf(0), voteOf(0), forged, late, "text"]);
    expect(messages).toBe(1);
    expect(findings.map((finding) => finding.split(": ").slice(0, 2).join(": "))).toEqual([
      "gossip evidence/gossip.jsonl: line 2",
      "gossip evidence/gossip.jsonl: line 3",
      "gossip evidence/gossip.jsonl: line 4",
      "gossip evidence/gossip.jsonl: line 5",
    ]);
    expect(findings[0]).toContain("is a duplicate");
  });

  it("have a note for equivocations, of which the first message counts", async () => {
    const gossip = [voteOf(0), voteOf(0, { 0: lie })];
    const { tally, messages, findings, notes } = await count(gossip);
    expect([messages, findings]).toEqual([1, []]);
    expect(tally.of(asPartition(0))).toMatchObject({ votesFor: 1, votesAgainst: 0 });
    expect(notes).toEqual([
      "1 node signed two different messages for this cycle; the first of each was counted",
    ]);
  });

  it("have a finding for a line beyond its bound, and the next lines are counted", async () => {
    const { messages, findings } = await count(["x".repeat(gossipLineBytesMax(5) + 1), voteOf(0)]);
    expect(messages).toBe(1);
    expect(findings).toEqual([
      `gossip evidence/gossip.jsonl: line 1: it has more than ${gossipLineBytesMax(5)} bytes`,
    ]);
  });

  it("show no radius if a message omits a partition between others", async () => {
    const gapped = asHashes([1, 4].map((partition) => [partition, hashes.get(asPartition(partition)) ?? ""]));
    const { messages, shownRadii } = await count([messageOf(0, gapped)]);
    expect([messages, [...shownRadii]]).toEqual([1, []]);
  });

  it("agree on the most popular hash of the covering nodes if that is the rule", async () => {
    const gossip = [voteOf(0), voteOf(1, { 0: lie })];
    const { tally } = await count(gossip, 3, "popular");
    // Of two hashes with one vote each, the smaller one is the agreed one.
    expect(tally.of(asPartition(0))).toMatchObject({ votesFor: 1, votesAgainst: 1, isAgreed: true });
    expect((await count(gossip, 3, "majority")).tally.of(asPartition(0)).isAgreed).toBe(false);
  });
});
