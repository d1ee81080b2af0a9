import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodesMax } from "../../src/limits/network.ts";
import { addressPrefix } from "../../src/protocol/address.ts";
import { asNodeIndex, asPartition } from "../../src/protocol/brands.ts";
import {
  allPartitions,
  coveringNodes,
  covers,
  GLOBAL_PARTITION,
  makeShard,
  partitionOf,
  partitionRange,
  type Shard,
  storedPartitions,
  stores,
} from "../../src/protocol/shard.ts";
import { seeded } from "../helpers/seeded.ts";

const prefixMax = 2 ** 32 - 1;
const [lowest, highest] = ["0".repeat(56), "f".repeat(56)] as const;
const everySmallNetwork = Array.from({ length: 2000 }, (_, index) => index + 1);

/** Describes the first fault in the ranges of a network's partitions; `undefined` if they are right. */
function faultOfTiling(shard: Shard): string | undefined {
  let next = 0;
  for (let partition = 0; partition < shard.numNodes; partition++) {
    const { low, high } = partitionRange(shard, asPartition(partition));
    const [from, to] = [addressPrefix(low), addressPrefix(high)];
    const where = () => `partition ${partition} of ${shard.numNodes}`;
    if (from !== next) return `${where()} begins at ${from}, not at ${next}`;
    if (to < from) return `${where()} ends before it begins`;
    if (!low.endsWith(lowest) || !high.endsWith(highest)) return `${where()} is cut off`;
    if (partitionOf(shard, low) !== partition) return `${where()} does not hold its first address`;
    if (partitionOf(shard, high) !== partition) return `${where()} does not hold its last address`;
    next = to + 1;
  }
  return next === prefixMax + 1 ? undefined : `${shard.numNodes} partitions end at ${next - 1}`;
}

describe("the partitions of a network", () => {
  it("tile the address space without gap or overlap, for up to 2,000 nodes", () => {
    const faults = everySmallNetwork.map((numNodes) => faultOfTiling(makeShard({ numNodes })));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each([2003, 4099, 10_007, 16_384, 32_768, 46_341, 49_999, nodesMax].map((numNodes) => ({ numNodes })))(
    "tile the address space for $numNodes nodes",
    ({ numNodes }) => {
      expect(faultOfTiling(makeShard({ numNodes }))).toBeUndefined();
    },
  );

  it("differ in size from the last one only by rounding, for every number of nodes", () => {
    const wrong: number[] = [];
    for (let numNodes = 2; numNodes <= nodesMax; numNodes++) {
      const shard = makeShard({ numNodes });
      const before = partitionRange(shard, asPartition(numNodes - 2));
      const last = partitionRange(shard, asPartition(numNodes - 1));
      const isAdjacent = addressPrefix(before.high) + 1 === addressPrefix(last.low);
      const size = addressPrefix(last.high) - addressPrefix(last.low) + 1;
      const isRight = isAdjacent && addressPrefix(last.high) === prefixMax;
      if (!isRight || Math.abs(size - shard.partitionSize) > numNodes / 2 + 1) wrong.push(numNodes);
    }
    expect(wrong).toEqual([]);
  });

  it("hold exactly the addresses of their range", () => {
    const address = fc.tuple(fc.nat(prefixMax), fc.nat()).map(([prefix, rest]) => {
      return prefix.toString(16).padStart(8, "0") + rest.toString(16).padStart(56, "0");
    });
    const numNodes = fc.integer({ min: 1, max: nodesMax });
    const property = fc.property(numNodes, address, (nodes, of) => {
      const shard = makeShard({ numNodes: nodes });
      const { low, high } = partitionRange(shard, partitionOf(shard, of));
      expect(low <= of && of <= high).toBe(true);
    });
    fc.assert(property, seeded(2000));
  });

  it("are listed with the global partition first", () => {
    expect(allPartitions(makeShard({ numNodes: 3 }))).toEqual([GLOBAL_PARTITION, 0, 1, 2]);
  });
});

const settings = fc.record(
  {
    numNodes: fc.integer({ min: 1, max: 40 }),
    nodesPerConsensusGroup: fc.integer({ min: 1, max: 50 }),
    nodesPerEdge: fc.integer({ min: 0, max: 30 }),
  },
  { requiredKeys: ["numNodes"] },
);

/** The indices within a radius of a centre on a ring, found step by step. */
function within(numNodes: number, centre: number, radius: number): number[] {
  const found = new Set<number>();
  for (let step = 0; step <= radius; step++) {
    found.add((centre + step) % numNodes);
    found.add((((centre - step) % numNodes) + numNodes) % numNodes);
  }
  return [...found].sort((a, b) => a - b);
}

describe("the partitions that nodes store and cover", () => {
  it("lie within their radius on the ring", () => {
    const property = fc.property(settings, (of) => {
      const shard = makeShard(of);
      for (let index = 0; index < shard.numNodes; index++) {
        expect(storedPartitions(shard, asNodeIndex(index))).toEqual(
          within(shard.numNodes, index, shard.storeRadius),
        );
        expect(coveringNodes(shard, asPartition(index))).toEqual(
          within(shard.numNodes, index, shard.consensusRadius),
        );
      }
    });
    fc.assert(property, seeded(300));
  });

  it("are the same from the node's side as from the partition's side", () => {
    const property = fc.property(settings, (of) => {
      const shard = makeShard(of);
      const indices = Array.from({ length: shard.numNodes }, (_, index) => index);
      for (const node of indices) {
        const covered = indices.filter((partition) =>
          coveringNodes(shard, asPartition(partition)).includes(asNodeIndex(node)),
        );
        expect(covered).toEqual(
          indices.filter((partition) => covers(shard, asNodeIndex(node), asPartition(partition))),
        );
        expect(storedPartitions(shard, asNodeIndex(node))).toEqual(
          indices.filter((partition) => stores(shard, asNodeIndex(node), asPartition(partition))),
        );
        // A node stores every partition that it votes on.
        expect(storedPartitions(shard, asNodeIndex(node))).toEqual(expect.arrayContaining(covered));
      }
      for (const partition of indices) {
        const storing = indices.filter((node) =>
          storedPartitions(shard, asNodeIndex(node)).includes(asPartition(partition)),
        );
        expect(storing).toEqual(storedPartitions(shard, asNodeIndex(partition)));
      }
    });
    fc.assert(property, seeded(100));
  });

  it("include the global partition for every node", () => {
    const shard = makeShard({ numNodes: 4, nodesPerConsensusGroup: 1, nodesPerEdge: 0 });
    expect(coveringNodes(shard, GLOBAL_PARTITION)).toEqual([0, 1, 2, 3]);
    expect(
      [0, 1, 2, 3].every(
        (node) =>
          stores(shard, asNodeIndex(node), asPartition(-1)) &&
          covers(shard, asNodeIndex(node), asPartition(-1)),
      ),
    ).toBe(true);
    expect(storedPartitions(shard, asNodeIndex(2))).toEqual([2]);
  });

  it.each([
    {
      id: "an even group size is rounded up to an odd one",
      group: 4,
      edge: 1,
      consensusRadius: 2,
      storeRadius: 3,
    },
    {
      id: "the edge defaults to the radius",
      group: 7,
      edge: undefined,
      consensusRadius: 3,
      storeRadius: 6,
    },
    { id: "the group size is one", group: 1, edge: 0, consensusRadius: 0, storeRadius: 0 },
    { id: "no setting is given", group: undefined, edge: undefined, consensusRadius: 2, storeRadius: 4 },
  ])("have the expected radii if $id", ({ group, edge, consensusRadius, storeRadius }) => {
    const shard = makeShard({
      numNodes: 100,
      ...(group === undefined ? {} : { nodesPerConsensusGroup: group }),
      ...(edge === undefined ? {} : { nodesPerEdge: edge }),
    });
    expect(shard).toMatchObject({ consensusRadius, storeRadius });
  });
});

describe("invalid settings", () => {
  it.each([
    {
      id: "zero nodes",
      settings: { numNodes: 0 },
      says: "numNodes is a whole number from 1 to 50000, not 0",
    },
    { id: "a negative number of nodes", settings: { numNodes: -1 }, says: "numNodes" },
    { id: "a fractional number of nodes", settings: { numNodes: 1.5 }, says: "numNodes" },
    { id: "NaN nodes", settings: { numNodes: Number.NaN }, says: "numNodes" },
    { id: "too many nodes", settings: { numNodes: nodesMax + 1 }, says: "not 50001" },
    {
      id: "an empty group",
      settings: { numNodes: 3, nodesPerConsensusGroup: 0 },
      says: "nodesPerConsensusGroup",
    },
    { id: "a negative edge", settings: { numNodes: 3, nodesPerEdge: -1 }, says: "nodesPerEdge" },
    { id: "an infinite edge", settings: { numNodes: 3, nodesPerEdge: Infinity }, says: "nodesPerEdge" },
  ])("are rejected: $id", ({ settings: bad, says }) => {
    expect(() => makeShard(bad)).toThrow(RangeError);
    expect(() => makeShard(bad)).toThrow(says);
  });

  it.each([
    { id: "an index beyond the last", index: 3 },
    { id: "the global partition", index: -1 },
    { id: "a fractional index", index: 0.5 },
  ])("include partitions and nodes out of range: $id", ({ index }) => {
    const shard = makeShard({ numNodes: 3 });
    expect(() => partitionRange(shard, asPartition(index))).toThrow(RangeError);
    expect(() => storedPartitions(shard, asNodeIndex(index))).toThrow(RangeError);
  });
});
