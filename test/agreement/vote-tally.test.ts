import { describe, expect, it } from "vitest";
import { isAgreed, VoteTally } from "../../src/agreement/vote-tally.ts";
import { shard } from "./test-votes.ts";

const hashes = (hash: string) => new Map([-1, 0, 1, 2, 3, 4].map((partition) => [partition, hash]));

/** A tally of votes on all partitions, by the index of their node. */
function tallyOf(votes: readonly (readonly [number, string])[]): VoteTally {
  const tally = new VoteTally(shard);
  for (const [index, hash] of votes) tally.count(index, hashes(hash));
  return tally;
}

describe("a tally", () => {
  it("counts the votes of covering nodes alone, and of all nodes on the global partition", () => {
    const tally = new VoteTally(shard);
    expect(tally.count(0, hashes("a"))).toEqual([-1, 0, 1, 4]);
    expect(tally.agreement(2)).toBeUndefined();
    expect(tally.agreement(1)).toEqual({ hash: "a", votesFor: 1, votesAgainst: 0, outOf: 3 });
    expect(tally.agreement(-1)).toEqual({ hash: "a", votesFor: 1, votesAgainst: 0, outOf: 5 });
  });

  it("does not count what is not a partition of the network", () => {
    expect(new VoteTally(shard).count(0, new Map([[5, "a"]]))).toEqual([]);
  });

  it("names the most popular hash, of equally popular ones the smallest", () => {
    const tally = tallyOf([
      [4, "b"],
      [0, "b"],
      [1, "a"],
    ]);
    expect(tally.agreement(0)).toEqual({ hash: "b", votesFor: 2, votesAgainst: 1, outOf: 3 });
    expect(tally.agreement(1)?.hash).toBe("a");
    expect(tally.votesFor(0, "a")).toEqual({ votesFor: 1, total: 3, outOf: 3 });
  });

  it("counts no vote on a closed partition", () => {
    const tally = tallyOf([[0, "a"]]);
    tally.close(1);
    expect(tally.count(1, hashes("a"))).toEqual([-1, 0, 2]);
    expect(tally.agreement(1)).toBeUndefined();
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
  ] as const)("calls a partition decided where it $id: $isDecided", ({ votes, isDecided }) => {
    expect(tallyOf(votes).isDecided(0)).toBe(isDecided);
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
    const agreement = { hash: "a", ...votes };
    expect([isAgreed(agreement, "majority"), isAgreed(agreement, "popular")]).toEqual([majority, popular]);
  },
);
