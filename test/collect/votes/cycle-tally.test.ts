import { describe, expect, it } from "vitest";
import { makeCycleValidators } from "../../../src/collect/network/cycle-validators.ts";
import { CycleTally } from "../../../src/collect/votes/cycle-tally.ts";
import { asNodeId, asPartition } from "../../../src/protocol/brands.ts";
import { networkHash } from "../../../src/protocol/partition-hash.ts";
import { hashKey, idOf, nodes } from "../../agreement/test-votes.ts";
import { asHashes } from "../../helpers/brands.ts";

const sharding = {
  nodesPerConsensusGroup: 3,
  nodesPerEdge: 0,
  source: "given",
  proof: undefined,
  againstSnapshots: [],
} as const;
const validators = makeCycleValidators(nodes, sharding);
const hashes = (letter: string) => asHashes([-1, 0, 1, 2, 3, 4].map((of) => [of, letter.repeat(64)]));

function tallyOf(votes: readonly (readonly [number, string])[]): CycleTally {
  const tally = new CycleTally(validators);
  for (const [index, letter] of votes) tally.count(idOf(index), hashes(letter));
  return tally;
}

describe("the tally of a cycle", () => {
  it("returns each majority once", () => {
    const tally = tallyOf([
      [0, "a"],
      [1, "a"],
    ]);
    expect([...tally.takeAgreed().keys()].sort()).toEqual([0, 1]);
    tally.count(idOf(2), hashes("a"));
    expect([...tally.takeAgreed().keys()].sort((a, b) => a - b)).toEqual([-1, 2]);
    expect(tally.takeAgreed().size).toBe(0);
    expect([...tally.agreed.keys()].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
  });

  it("counts one vote of a sender, and none of a node outside the validator set", () => {
    const tally = tallyOf([
      [0, "a"],
      [0, "b"],
    ]);
    tally.count(asNodeId("ff".repeat(32)), hashes("a"));
    expect(tally.senders).toBe(1);
    expect(tally.takeAgreed().size).toBe(0);
  });

  it("is complete, with a network hash, once every partition has a majority", () => {
    const tally = tallyOf([0, 1, 2].map((index) => [index, "a"] as const));
    tally.takeAgreed();
    expect([tally.isComplete, tally.networkHash(hashKey)]).toEqual([false, undefined]);
    tally.count(idOf(3), hashes("a"));
    tally.takeAgreed();
    expect([tally.isComplete, tally.networkHash(hashKey)]).toEqual([true, networkHash(hashes("a"), hashKey)]);
  });

  it("keeps a majority, whatever votes follow", () => {
    const tally = tallyOf([0, 1, 4].map((index) => [index, "a"] as const));
    tally.takeAgreed();
    for (const index of [2, 3]) tally.count(idOf(index), hashes("b"));
    tally.takeAgreed();
    expect(tally.agreed.get(asPartition(0))).toBe("a".repeat(64));
  });
});
