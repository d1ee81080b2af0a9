import { expect, it } from "vitest";
import { QuorumProgress } from "../../../src/agreement/requests/quorum-progress.ts";
import { collectionOf, voteOf } from "../test-votes.ts";

const all = [0, 1, 2, 3, 4];

it.each([
  { id: "no vote", votes: [], quorum: "majority", hasQuorum: false, isDecided: false },
  { id: "three votes", votes: all.slice(2), quorum: "majority", hasQuorum: false, isDecided: false },
  { id: "four votes", votes: all.slice(1), quorum: "majority", hasQuorum: true, isDecided: true },
  { id: "four votes", votes: all.slice(1), quorum: "popular", hasQuorum: true, isDecided: true },
] as const)("with $id, $quorum has a quorum: $hasQuorum, and is decided: $isDecided", (of) => {
  const votes = collectionOf(of.votes.map((index) => voteOf(index)));
  const progress = new QuorumProgress(votes, of.quorum);
  expect([progress.hasQuorum(), progress.isDecided()]).toEqual([of.hasQuorum, of.isDecided]);
});

it("everything is decided once every node has voted, even without a quorum", () => {
  const votes = collectionOf(["a", "b", "c", "d", "e"].map((letter, index) => voteOf(index, letter)));
  const progress = new QuorumProgress(votes, "majority");
  expect([progress.hasQuorum(), progress.isDecided()]).toEqual([false, true]);
});

it("a popular hash is not decided while a missing vote could change it", () => {
  const votes = collectionOf([voteOf(1, "a"), voteOf(2, "b"), voteOf(3, "a"), voteOf(4, "b")]);
  const progress = new QuorumProgress(votes, "popular");
  expect([progress.hasQuorum(), progress.isDecided()]).toEqual([true, false]);
});

it("progress follows the votes that are admitted meanwhile", () => {
  const votes = collectionOf([voteOf(0)]);
  const progress = new QuorumProgress(votes, "majority");
  expect(progress.isDecided()).toBe(false);
  for (const index of [1, 2, 3]) votes.admit(voteOf(index));
  expect(progress.isDecided()).toBe(true);
});
