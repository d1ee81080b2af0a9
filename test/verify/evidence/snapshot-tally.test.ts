import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { popularHashesMax } from "../../../src/limits/snapshot.ts";
import { asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import { allPartitions, makeShard } from "../../../src/protocol/shard.ts";
import { SnapshotTally } from "../../../src/verify/evidence/snapshot-tally.ts";
import { asHashes, hashNamed } from "../../helpers/brands.ts";
import { seeded } from "../../helpers/seeded.ts";
import { coveringVotes, hashesOf, ringVotes, shardsOf } from "./ring-votes.ts";

describe("the votes on a snapshot's hashes", () => {
  it.each(["majority", "popular"] as const)(
    "are counted as the covering nodes cast them, at every radius, under the quorum %s",
    (quorum) => {
      const property = fc.property(ringVotes(["yes", "no", "other"]), (ring) => {
        for (const shard of shardsOf(ring)) {
          const tally = new SnapshotTally(shard, quorum, () => hashNamed("yes"));
          for (let node = 0; node < ring.numNodes; node++)
            tally.count(asNodeIndex(node), hashesOf(ring, node));
          for (const partition of allPartitions(shard)) {
            const expected = coveringVotes(ring, shard, partition);
            const { isAgreed, ...votes } = tally.of(partition);
            expect(votes).toEqual({ partition, ...expected });
            if (quorum === "majority") expect(isAgreed).toBe(expected.votesFor * 2 > expected.outOf);
          }
        }
      });
      fc.assert(property, seeded(100));
    },
  );

  const shard = makeShard({ numNodes: 5, nodesPerConsensusGroup: 5 });
  const tallyOf = (quorum: "majority" | "popular", votes: readonly string[]) => {
    const tally = new SnapshotTally(shard, quorum, () => hashNamed("yes"));
    for (const [node, hash] of votes.entries())
      tally.count(asNodeIndex(node), asHashes([[0, hashNamed(hash)]]));
    return tally.of(asPartition(0));
  };

  it.each([
    { votes: ["yes", "yes", "yes", "no", "no"], majority: true, popular: true },
    { votes: ["yes", "yes", "no", "maybe", "never"], majority: false, popular: true },
    { votes: ["yes", "yes", "no", "no", "no"], majority: false, popular: false },
    // Of equally popular hashes, the smallest wins.
    { votes: ["yes", "yes", "no", "no"], majority: false, popular: false },
    { votes: ["yes", "yes", "zero", "zero"], majority: false, popular: true },
    { votes: ["yes", "yes"], majority: false, popular: false },
    { votes: [], majority: false, popular: false },
  ])("$votes of five agree by majority: $majority, by popularity: $popular", (expected) => {
    const { votes, majority, popular } = expected;
    expect([tallyOf("majority", votes).isAgreed, tallyOf("popular", votes).isAgreed]).toEqual([
      majority,
      popular,
    ]);
  });

  it("agree on nothing that the snapshot does not have", () => {
    const tally = new SnapshotTally(shard, "majority", () => undefined);
    for (const node of [0, 1, 2]) tally.count(asNodeIndex(node), asHashes([[0, hashNamed("yes")]]));
    expect(tally.of(asPartition(0))).toMatchObject({ votesFor: 0, votesAgainst: 3, isAgreed: false });
  });

  it("exceed a bound if they name too many hashes, which still count as votes against", () => {
    const numNodes = 1_000;
    const whole = makeShard({ numNodes, nodesPerConsensusGroup: numNodes });
    const tally = new SnapshotTally(whole, "popular", () => hashNamed("yes"));
    const problems: (string | undefined)[] = [];
    const hashes = (node: number) =>
      new Map(allPartitions(whole).map((of) => [of, hashNamed(`${node} on ${of}`)]));
    const nodes = Math.ceil(popularHashesMax / (numNodes + 1));
    for (let node = 0; node < nodes; node++) problems.push(tally.count(asNodeIndex(node), hashes(node)));
    expect(problems.slice(0, -1).every((problem) => problem === undefined)).toBe(true);
    expect(problems.at(-1)).toMatch(/exceeds the bound/);
    expect(tally.of(asPartition(numNodes - 1))).toMatchObject({
      votesFor: 0,
      votesAgainst: nodes,
      outOf: numNodes,
    });
  });
});
