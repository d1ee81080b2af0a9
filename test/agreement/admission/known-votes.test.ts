import { describe, expect, it } from "vitest";
import { KnownVotes, NO_CYCLE } from "../../../src/agreement/admission/known-votes.ts";

const vote = (hash: string, cycle = 7, sender = "s") => ({ cycle, sender, hash });
const copy = (textHash: string, sig = "sig") => ({ textHash, sig });

describe("known votes", () => {
  it("hold the first vote of a sender and the one that contradicts it, and no third", () => {
    const known = new KnownVotes();
    for (const hash of ["a", "b", "c"]) known.add(vote(hash));
    expect(known.of(7, "s")).toEqual([vote("a"), vote("b")]);
    expect(known.withHash("c")).toBeUndefined();
  });

  it("hold one vote once", () => {
    const known = new KnownVotes();
    known.add(vote("a"));
    known.add(vote("a"));
    expect(known.of(7, "s")).toEqual([vote("a")]);
  });

  it("find a vote by the text of a copy, of a bounded number of copies", () => {
    const known = new KnownVotes();
    known.add(vote("a"));
    for (let number = 0; number < 6; number++) known.addCopy(vote("a"), copy(`text ${number}`));
    const found = Array.from({ length: 6 }, (_, number) => known.withText(`text ${number}`)?.hash);
    expect(found).toEqual(["a", "a", "a", "a", undefined, undefined]);
  });

  it("do not hold a copy of a vote that is unknown", () => {
    const known = new KnownVotes();
    known.addCopy(vote("a"), copy("text"));
    expect(known.withText("text")).toBeUndefined();
  });

  it.each([
    { id: "one that was checked", copies: ["sig"], isKnown: true },
    { id: "another one than was checked", copies: ["other"], isKnown: false },
    { id: "any one of a vote from elsewhere", copies: [], isKnown: true },
  ])("know a signature where it is $id: $isKnown", ({ copies, isKnown }) => {
    const known = new KnownVotes();
    known.add(vote("a"));
    for (const sig of copies) known.addCopy(vote("a"), copy(`text of ${sig}`, sig));
    expect(known.isKnownSignature("a", "sig")).toBe(isKnown);
  });

  it("forget a deleted vote with its copies, and keep the sender's other vote", () => {
    const known = new KnownVotes();
    for (const hash of ["a", "b"]) known.add(vote(hash));
    known.addCopy(vote("a"), copy("text"));
    known.delete(vote("a"));
    expect([known.withHash("a"), known.withText("text")]).toEqual([undefined, undefined]);
    expect(known.of(7, "s")).toEqual([vote("b")]);
    known.delete(vote("b"));
    expect(known.of(7, "s")).toEqual([]);
  });

  it("convict a sender once in each cycle", () => {
    const known = new KnownVotes();
    expect([known.convict(7, "s"), known.convict(7, "s"), known.convict(8, "s")]).toEqual([
      true,
      false,
      true,
    ]);
    expect([known.isConvicted(7, "s"), known.isConvicted(7, "t")]).toEqual([true, false]);
  });

  it("forget the votes and convictions of earlier cycles, and of messages that name no cycle", () => {
    const known = new KnownVotes();
    for (const [cycle, hash] of [
      [6, "a"],
      [7, "b"],
    ] as const) {
      known.add(vote(hash, cycle));
      known.addCopy(vote(hash, cycle), copy(`text of ${hash}`));
      known.convict(cycle, "s");
    }
    known.convict(NO_CYCLE, "s");
    known.dropBefore(7);
    expect([known.withHash("a"), known.withText("text of a")]).toEqual([undefined, undefined]);
    expect(known.withText("text of b")).toEqual(vote("b"));
    expect([NO_CYCLE, 6, 7].map((cycle) => known.isConvicted(cycle, "s"))).toEqual([false, false, true]);
  });
});
