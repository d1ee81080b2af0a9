import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settleMarginMs, settleMs } from "../../src/limits/seed.ts";
import { addressAfter } from "../../src/protocol/address.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard, partitionRange } from "../../src/protocol/shard.ts";
import { changedSince, filesOf, fileWithHash, type Seed } from "../../src/seed/seed.ts";
import { seedSourcesOf } from "../../src/seed/seed-source.ts";
import { seeded } from "../helpers/seeded.ts";

/** The seed of a network with so many partitions, without those that are lacking. */
function seedOf(numPartitions: number, lacking: readonly number[] = []): Seed {
  const shard = makeShard({ numNodes: numPartitions });
  const partitions = Array.from({ length: numPartitions }, (_, partition) => partition);
  const lists = partitions
    .filter((partition) => !lacking.includes(partition))
    .map((partition) => ({
      file: {
        path: `/${partition}`,
        compression: "none" as const,
        ...partitionRange(shard, asPartition(partition)),
      },
      hash: `hash ${partition}`,
    }));
  return { name: "seed", timestamp: 1_700_000_000_000, lacks: "nothing", lists, global: undefined };
}

describe("the files of a seed for a partition", () => {
  it("cover each of its addresses once, whatever the numbers of partitions", () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), fc.nat());
    const property = fc.property(counts, ([older, newer, any]) => {
      const shard = makeShard({ numNodes: newer });
      const { low, high } = partitionRange(shard, asPartition(any % newer));
      const files = filesOf(seedOf(older), shard, asPartition(any % newer)) ?? [];
      expect(files[0]?.low).toBe(low);
      expect(files.at(-1)?.high).toBe(high);
      for (const [index, { low: next }] of files.slice(1).entries())
        expect(next).toBe(addressAfter(files[index]?.high ?? ""));
    });
    fc.assert(property, seeded(300));
  });

  it("are none if the seed lacks some of its addresses", () => {
    const shard = makeShard({ numNodes: 4 });
    const seed = seedOf(8, [3]);
    expect([0, 1, 2, 3].map((partition) => filesOf(seed, shard, asPartition(partition))?.length)).toEqual([
      2,
      undefined,
      2,
      2,
    ]);
    expect(filesOf(seed, shard, GLOBAL_PARTITION)).toBeUndefined();
  });
});

describe("a seed", () => {
  it("has a partition with a hash wherever its list is, but global accounts only as such", () => {
    const list = { file: { path: "/g", compression: "none" as const, low: "0", high: "f" }, hash: "global" };
    const seed = { ...seedOf(3), global: list };
    expect(fileWithHash(seed, asPartition(0), "hash 2")?.path).toBe("/2");
    expect(fileWithHash(seed, GLOBAL_PARTITION, "hash 2")).toBeUndefined();
    expect(fileWithHash(seed, GLOBAL_PARTITION, "global")).toBe(list.file);
    expect(fileWithHash(seed, asPartition(0), "global")).toBeUndefined();
  });

  it("is completed with what has changed since a settle time and a margin before its moment", () => {
    expect(changedSince(seedOf(1))).toBe(1_700_000_000_000 - settleMs - settleMarginMs);
    expect(changedSince({ ...seedOf(1), timestamp: 5 })).toBe(0);
  });
});

describe("--seed", () => {
  it("takes auto, directories and databases of archivers, or none alone", () => {
    expect(seedSourcesOf(["auto", "/older", "archiver-db:archiver-db"])).toEqual([
      { kind: "auto" },
      { kind: "directory", path: "/older" },
      { kind: "archiver", path: "archiver-db" },
    ]);
    expect(seedSourcesOf(["none"])).toEqual([]);
    expect(() => seedSourcesOf(["none", "/older"])).toThrow("--seed none is given beside another seed");
    for (const value of [" ", "archiver-db:", "a\0b"]) {
      const expected = "expected auto, none, a directory or archiver-db:<path>";
      expect(() => seedSourcesOf([value])).toThrow(`${expected}, got ${JSON.stringify(value)}`);
    }
  });
});
