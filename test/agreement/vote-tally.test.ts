import { describe, expect, it } from "vitest";
import { isAgreed, VoteTally } from "../../src/agreement/vote-tally.ts";
import { asHashHex, asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import { asHashes } from "../helpers/brands.ts";
import { shard } from "./test-votes.ts";

const hash = (letter: string) => asHashHex(letter.repeat(64));
const hashes = (letter: string) =>
  asHashes([-1, 0, 1, 2, 3, 4].map((partition) => [partition, hash(letter)]));

/** A tally of votes on all partitions, by the index of their node. */
function tallyOf(votes: readonly (readonly [number, string])[]): VoteTally {
  const tally = new VoteTally(shard);
  for (const [index, letter] of votes) tally.count(asNodeIndex(index), hashes(letter));
  return tally;
}

describe("a tally", () => {
  it("counts the votes of covering nodes alone, and of all nodes on the global partition", () => {
    const tally = new VoteTally(shard);
    expect(tally.count(asNodeIndex(0), hashes("a"))).toEqual([-1, 0, 1, 4]);
    expect(tally.agreement(asPartition(2))).toBeUndefined();
    expect(tally.agreement(asPartition(1))).toEqual({
      hash: hash("a"),
      votesFor: 1,
      votesAgainst: 0,
      outOf: 3,
    });
    expect(tally.agreement(asPartition(-1))).toEqual({
      hash: hash("a"),
      votesFor: 1,
      votesAgainst: 0,
      outOf: 5,
    });
  });

  it("does not count what is not a partition of the network", () => {
    expect(new VoteTally(shard).count(asNodeIndex(0), asHashes([[5, hash("a")]]))).toEqual([]);
  });

  it("names the most popular hash, of equally popular ones the smallest", () => {
    const tally = tallyOf([
      [4, "b"],
      [0, "b"],
      [1, "a"],
    ]);
    expect(tally.agreement(asPartition(0))).toEqual({
      hash: hash("b"),
      votesFor: 2,
      votesAgainst: 1,
      outOf: 3,
    });
    expect(tally.agreement(asPartition(1))?.hash).toBe(hash("a"));
    expect(tally.votesFor(asPartition(0), hash("a"))).toEqual({ votesFor: 1, total: 3, outOf: 3 });
  });

  it("counts no vote on a closed partition", () => {
    const tally = tallyOf([[0, "a"]]);
    tally.close(asPartition(1));
    expect(tally.count(asNodeIndex(1), hashes("a"))).toEqual([-1, 0, 2]);
    expect(tally.agreement(asPartition(1))).toBeUndefined();
  });

  it.each([
    { id: "has no vote", votes: [], isDecided: false },
    { id: "has one of three votes", votes: [[0, "a"]], isDecided: false },
    {
      id: "has two of three votes for one hash",
      votes: [
        [0, "a"],
        [1, "a"],
      ],
      isDecided: true,
    },
    {
      id: "has two of three votes for two hashes",
      votes: [
        [0, "a"],
        [1, "b"],
      ],
      isDecided: false,
    },
    {
      id: "has three of three votes, all different",
      votes: [
        [0, "a"],
        [1, "b"],
        [4, "c"],
      ],
      isDecided: true,
    },
  ] as const)("calls a partition decided if it $id: $isDecided", ({ votes, isDecided }) => {
    expect(tallyOf(votes).isDecided(asPartition(0))).toBe(isDecided);
  });
});

it.each([
  { votesFor: 2, votesAgainst: 0, outOf: 3, majority: true, popular: true },
  { votesFor: 2, votesAgainst: 2, outOf: 4, majority: false, popular: true },
  { votesFor: 1, votesAgainst: 1, outOf: 3, majority: false, popular: true },
  { votesFor: 1, votesAgainst: 0, outOf: 3, majority: false, popular: false },
  { votesFor: 3, votesAgainst: 0, outOf: 5, majority: true, popular: true },
])(
  "a quorum of $votesFor for and $votesAgainst against of $outOf: majority $majority, popular $popular",
  ({ majority, popular, ...votes }) => {
    const agreement = { hash: hash("a"), ...votes };
    expect([isAgreed(agreement, "majority"), isAgreed(agreement, "popular")]).toEqual([majority, popular]);
  },
);
