import fc from "fast-check";
import { expect, it } from "vitest";
import { asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import { allPartitions, makeShard } from "../../../src/protocol/shard.ts";
import { GroupSizeProof } from "../../../src/verify/evidence/group-size-proof.ts";
import { asHashes, hashNamed } from "../../helpers/brands.ts";
import { seeded } from "../../helpers/seeded.ts";
import { coveringVotes, hashesOf, ringVotes, shardsOf } from "./ring-votes.ts";

it("a proof finds the first radius at which a hash has no majority of the covering nodes", () => {
  const property = fc.property(ringVotes(["yes", "no"]), (ring) => {
    const proof = new GroupSizeProof(ring.numNodes, () => hashNamed("yes"));
    for (let node = 0; node < ring.numNodes; node++) proof.add(asNodeIndex(node), hashesOf(ring, node));
    const shards = shardsOf(ring);
    for (const partition of allPartitions(makeShard(ring))) {
      const first = shards.find((shard) => {
        const { votesFor, outOf } = coveringVotes(ring, shard, partition);
        return votesFor * 2 <= outOf;
      });
      expect(proof.firstWithoutMajority(partition, shards.length - 1)).toBe(first?.consensusRadius);
    }
  });
  fc.assert(property, seeded(200));
});

it("a vote on what is not a partition is not part of a proof", () => {
  const proof = new GroupSizeProof(3, () => hashNamed("yes"));
  for (const node of [0, 1, 2]) proof.add(asNodeIndex(node), asHashes([[3, hashNamed("yes")]]));
  expect([-1, 0, 1, 2].map((partition) => proof.firstWithoutMajority(asPartition(partition), 1))).toEqual([
    0, 0, 0, 0,
  ]);
});
