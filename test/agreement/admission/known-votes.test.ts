import { describe, expect, it } from "vitest";
import { KnownVotes, NO_CYCLE } from "../../../src/agreement/admission/known-votes.ts";
import { asCycle } from "../../../src/protocol/brands.ts";
import { hashNamed, idNamed } from "../../helpers/brands.ts";

const [six, seven, eight] = [asCycle(6), asCycle(7), asCycle(8)];
const [s, t] = [idNamed("s"), idNamed("t")];
const vote = (name: string, cycle = seven) => ({ cycle, sender: s, hash: hashNamed(name) });
const copy = (text: string, sig = "sig") => ({ textHash: hashNamed(text), sig });

describe("known votes", () => {
  it("hold the first vote of a sender and the one that contradicts it, and no third", () => {
    const known = new KnownVotes();
    for (const hash of ["a", "b", "c"]) known.add(vote(hash));
    expect(known.of(seven, s)).toEqual([vote("a"), vote("b")]);
    expect(known.withHash(hashNamed("c"))).toBeUndefined();
  });

  it("hold one vote once", () => {
    const known = new KnownVotes();
    known.add(vote("a"));
    known.add(vote("a"));
    expect(known.of(seven, s)).toEqual([vote("a")]);
  });

  it("find a vote by the text of a copy, of a bounded number of copies", () => {
    const known = new KnownVotes();
    known.add(vote("a"));
    for (let number = 0; number < 6; number++) known.addCopy(vote("a"), copy(`text ${number}`));
    const found = Array.from({ length: 6 }, (_, number) => known.withText(hashNamed(`text ${number}`))?.hash);
    expect(found).toEqual([...new Array(4).fill(hashNamed("a")), undefined, undefined]);
  });

  it("do not hold a copy of a vote that is unknown", () => {
    const known = new KnownVotes();
    known.addCopy(vote("a"), copy("text"));
    expect(known.withText(hashNamed("text"))).toBeUndefined();
  });

  it.each([
    { id: "one that was checked", copies: ["sig"], isKnown: true },
    { id: "another one than was checked", copies: ["other"], isKnown: false },
    { id: "any one of a vote from elsewhere", copies: [], isKnown: true },
  ])("know a signature if it is $id: $isKnown", ({ copies, isKnown }) => {
    const known = new KnownVotes();
    known.add(vote("a"));
    for (const sig of copies) known.addCopy(vote("a"), copy(`text of ${sig}`, sig));
    expect(known.isKnownSignature(hashNamed("a"), "sig")).toBe(isKnown);
  });

  it("forget a deleted vote with its copies, and keep the sender's other vote", () => {
    const known = new KnownVotes();
    for (const hash of ["a", "b"]) known.add(vote(hash));
    known.addCopy(vote("a"), copy("text"));
    known.delete(vote("a"));
    expect([known.withHash(hashNamed("a")), known.withText(hashNamed("text"))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(known.of(seven, s)).toEqual([vote("b")]);
    known.delete(vote("b"));
    expect(known.of(seven, s)).toEqual([]);
  });

  it("convict a sender once in each cycle", () => {
    const known = new KnownVotes();
    expect([known.convict(seven, s), known.convict(seven, s), known.convict(eight, s)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([known.isConvicted(seven, s), known.isConvicted(seven, t)]).toEqual([true, false]);
  });

  it("forget the votes and convictions of earlier cycles, and of messages that name no cycle", () => {
    const known = new KnownVotes();
    for (const [cycle, hash] of [
      [six, "a"],
      [seven, "b"],
    ] as const) {
      known.add(vote(hash, cycle));
      known.addCopy(vote(hash, cycle), copy(`text of ${hash}`));
      known.convict(cycle, s);
    }
    known.convict(NO_CYCLE, s);
    known.dropBefore(seven);
    expect([known.withHash(hashNamed("a")), known.withText(hashNamed("text of a"))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(known.withText(hashNamed("text of b"))).toEqual(vote("b"));
    expect(([NO_CYCLE, six, seven] as const).map((cycle) => known.isConvicted(cycle, s))).toEqual([
      false,
      false,
      true,
    ]);
  });
});
