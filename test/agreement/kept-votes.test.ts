import { describe, expect, it } from "vitest";
import type { Vote } from "../../src/agreement/admission/admission.ts";
import { KeptVotes } from "../../src/agreement/kept-votes.ts";
import { asCycle, asNodeId, asNodeIndex, asPartition, type NodeId } from "../../src/protocol/brands.ts";
import { asHashes, hashNamed } from "../helpers/brands.ts";
import { shard } from "./test-votes.ts";

/** IDs in the order of their letters. */
const [s, t] = [asNodeId("1".repeat(64)), asNodeId("2".repeat(64))];
const hashOf = (partition: number) => hashNamed(`hash of ${partition}`);

const vote = (sender: NodeId, named: readonly number[], text = `text of ${sender}`): Vote => {
  return {
    cycle: asCycle(7),
    sender,
    hash: hashNamed(""),
    text,
    hashes: asHashes(named.map((of) => [of, hashOf(of)])),
  };
};

/** Node 1 stores partitions 0, 1 and 2. */
const stored = [-1, 0, 1, 2];

describe("kept votes", () => {
  it("keep the text, and the hashes of the partitions that the sender stores", () => {
    const votes = new KeptVotes(shard);
    expect(votes.add(vote(s, [-1, 0, 1, 2, 3]), asNodeIndex(1))).toBe(true);
    expect(votes.textOf(s)).toBe(`text of ${s}`);
    expect([...votes.hashesOf(s).keys()].sort()).toEqual(stored);
    expect(votes.hashesOf(s).get(asPartition(2))).toBe(hashOf(2));
    expect([votes.size, votes.has(s), votes.has(t), votes.hashesOf(t).size]).toEqual([1, true, false, 0]);
  });

  it("leave out the hashes that a vote does not name", () => {
    const votes = new KeptVotes(shard);
    votes.add(vote(s, [0]), asNodeIndex(1));
    expect(votes.hashesOf(s)).toEqual(new Map([[0, hashOf(0)]]));
  });

  it.each([
    { id: "the stored partitions", named: stored, contradicts: false },
    { id: "fewer", named: [0, 1], contradicts: true },
    { id: "more", named: [...stored, 3], contradicts: true },
    { id: "others", named: [-1, 1, 2, 3], contradicts: true },
  ])("tell whether a vote contradicts the geometry by naming $id: $contradicts", ({ named, contradicts }) => {
    const votes = new KeptVotes(shard);
    votes.add(vote(s, named), asNodeIndex(1));
    expect([...votes.ofOtherGeometry()]).toEqual(contradicts ? [s] : []);
  });

  it("list the texts by sender, each vote before the one that contradicts it", () => {
    const votes = new KeptVotes(shard);
    votes.add(vote(t, stored), asNodeIndex(1));
    votes.add(vote(s, stored), asNodeIndex(1));
    votes.addContradiction(vote(s, stored, "second of s"));
    expect([...votes.texts()].map(({ text }) => text.toString())).toEqual([
      `text of ${s}`,
      "second of s",
      `text of ${t}`,
    ]);
  });
});
