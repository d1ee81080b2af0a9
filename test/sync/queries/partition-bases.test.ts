import { describe, expect, it } from "vitest";
import type { Beginning } from "../../../src/artifact/response-report.ts";
import { brokenDeltasMax, continuationsMax } from "../../../src/limits/seed.ts";
import { asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import {
  type Base,
  type BeginningBase,
  baseFor,
  PartitionBases,
} from "../../../src/sync/queries/partition-bases.ts";

const one = asPartition(1);
const peer = asNodeIndex;
const address = (digit: string) => digit.repeat(64);

const older: Base = {
  kind: "older",
  seed: "a seed",
  files: [{ path: "seed", compression: "gzip", low: address("0"), high: address("f") }],
  changedSince: 5,
};

const earlier: BeginningBase = {
  kind: "beginning",
  files: [{ path: "earlier", compression: "none", low: address("0"), high: address("3") }],
  lastId: address("3"),
  bytes: 100,
  peers: undefined,
};

function beginning(path: string, first: string, last: string, bytes = 10): Beginning {
  return { partition: one, firstId: address(first), lastId: address(last), bytes, path };
}

/** The bases of partition 1. */
function basesOf(...of: readonly Base[]): PartitionBases {
  return new PartitionBases(new Map([[one, of]]));
}

function paths(base: Base | undefined): string[] | undefined {
  return base?.files.map(({ path }) => path);
}

describe("the bases of a partition", () => {
  it("uses the next base after one was rejected, and none in the end", () => {
    const bases = basesOf(older, earlier);
    expect(bases.of(one, peer(7))).toBe(older);
    bases.reject(one, older);
    expect(bases.of(one, peer(7))).toBe(earlier);
    bases.reject(one, earlier);
    expect(bases.of(one, peer(7))).toBeUndefined();
  });

  it("never removes the files of a seed", () => {
    const bases = basesOf(older, earlier);
    bases.commit(one);
    expect([...bases.unused]).toEqual(["earlier"]);
  });

  it("continues a beginning with what another peer gives behind it", () => {
    const bases = basesOf();
    expect(bases.begin(beginning("a", "0", "4"), peer(7), undefined, 1_000)).toBe(true);
    const first = bases.of(one, peer(8));
    expect(bases.begin(beginning("b", "5", "8"), peer(8), first, 1_000)).toBe(true);
    expect(bases.of(one, peer(9))).toMatchObject({
      lastId: address("8"),
      bytes: 20,
      peers: new Set([peer(7), peer(8)]),
    });
    expect(paths(bases.of(one, peer(9)))).toEqual(["a", "b"]);
    expect([...bases.unused]).toEqual([]);
  });

  it("replaces a beginning by a longer one that does not continue it", () => {
    const bases = basesOf(earlier);
    expect(bases.begin(beginning("a", "0", "8"), peer(7), bases.of(one, peer(7)), 1_000)).toBe(true);
    expect(paths(bases.of(one, peer(7)))).toEqual(["a"]);
    expect([...bases.unused]).toEqual(["earlier"]);
  });

  it("drops a beginning that is shorter than the one it has", () => {
    const bases = basesOf(earlier);
    expect(bases.begin(beginning("a", "0", "2"), peer(7), undefined, 1_000)).toBe(false);
    expect([...bases.unused]).toEqual(["a"]);
  });

  it("takes back the files of a beginning that was replaced and then continued further", () => {
    const bases = basesOf(earlier);
    bases.begin(beginning("a", "0", "5"), peer(7), undefined, 1_000);
    expect([...bases.unused]).toEqual(["earlier"]);
    expect(bases.begin(beginning("b", "4", "8"), peer(8), earlier, 1_000)).toBe(true);
    expect(paths(bases.of(one, peer(7)))).toEqual(["earlier", "b"]);
    expect([...bases.unused]).toEqual(["a"]);
  });

  it("drops what continues a beginning that was rejected meanwhile", () => {
    const bases = basesOf(earlier);
    bases.reject(one, earlier);
    expect(bases.begin(beginning("a", "4", "8"), peer(7), earlier, 1_000)).toBe(false);
    expect(bases.of(one, peer(7))).toBeUndefined();
    expect([...bases.unused].sort()).toEqual(["a", "earlier"]);
  });

  it("drops what a peer adds to its own beginning that was rejected meanwhile", () => {
    const bases = basesOf();
    bases.begin(beginning("a", "0", "4"), peer(7), undefined, 1_000);
    const own = bases.of(one, peer(7)) as BeginningBase;
    bases.reject(one, own);
    expect(bases.begin(beginning("b", "5", "8"), peer(7), own, 1_000)).toBe(false);
    expect([...bases.unused].sort()).toEqual(["a", "b"]);
  });

  it("rejects what continues a rejected beginning", () => {
    const bases = basesOf(earlier);
    bases.begin(beginning("a", "4", "8"), peer(7), earlier, 1_000);
    bases.reject(one, earlier);
    expect(bases.of(one, peer(7))).toBeUndefined();
    expect([...bases.unused].sort()).toEqual(["a", "earlier"]);
  });

  it("lets only the same peer continue a beginning after one was rejected", () => {
    const bases = basesOf(earlier);
    bases.reject(one, earlier);
    expect(bases.begin(beginning("a", "0", "4"), peer(7), undefined, 1_000)).toBe(true);
    expect(paths(bases.of(one, peer(7)))).toEqual(["a"]);
    expect(bases.of(one, peer(8))).toBeUndefined();
  });

  it.each([
    { id: "too large", count: 1, bytes: 1_001 },
    { id: "continued too often", count: continuationsMax + 1, bytes: 10 },
  ])("keeps no beginning that is $id", ({ count, bytes }) => {
    const bases = basesOf();
    const last = (index: number) => index.toString(16).padStart(2, "0").repeat(32);
    const kept = Array.from({ length: count }, (_, index) =>
      bases.begin(
        { ...beginning(`${index}`, "0", "0", bytes), lastId: last(index + 1) },
        peer(7),
        undefined,
        1_000,
      ),
    );
    expect(kept.indexOf(false)).toBe(count - 1);
  });

  it("gives up an older base after some deltas broke off", () => {
    const bases = basesOf(older);
    for (let broken = 1; broken < brokenDeltasMax; broken++) bases.breakOff(one, older);
    expect(bases.of(one, peer(7))).toBe(older);
    bases.breakOff(one, older);
    expect(bases.of(one, peer(7))).toBeUndefined();
  });

  it("counts the bytes of beginnings until they are dropped", () => {
    const bases = basesOf(older, earlier);
    expect(bases.heldBytes).toBe(100);
    bases.dropAll();
    expect(bases.heldBytes).toBe(0);
    expect(bases.of(one, peer(7))).toBeUndefined();
  });

  it("forgets unused files once they are removed", () => {
    const bases = basesOf(earlier);
    bases.commit(one);
    bases.removed(new Set(["earlier"]));
    expect([...bases.unused]).toEqual([]);
  });

  it.each([
    { id: "that one peer gave", peers: new Set([peer(7)]), isOfPeer: true },
    { id: "that another peer gave", peers: new Set([peer(8)]), isOfPeer: false },
    { id: "that several peers gave", peers: new Set([peer(7), peer(8)]), isOfPeer: false },
    { id: "of an earlier run", peers: undefined, isOfPeer: false },
  ])("knows whether a peer answers for a beginning $id", ({ peers, isOfPeer }) => {
    expect(baseFor({ ...earlier, peers }, peer(7)).isOfPeer).toBe(isOfPeer);
  });

  it("holds no peer to answer for a seed", () => {
    expect(baseFor(older, peer(7)).isOfPeer).toBe(false);
  });
});
