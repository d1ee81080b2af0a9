import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asPartition } from "../../../src/protocol/brands.ts";
import { queryOrder } from "../../../src/protocol/query-order.ts";
import { allPartitions, makeShard, storedPartitions } from "../../../src/protocol/shard.ts";
import { nextQuery, planQueries } from "../../../src/sync/strategy/algorithm-1.ts";
import { asNodeIndexes, asPartitions } from "../../helpers/brands.ts";
import { seeded } from "../../helpers/seeded.ts";

/** Nine nodes, each of which stores five partitions: `index ± 2`. */
const nine = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const order = queryOrder(9);

describe("the next query", () => {
  it("is for the first node that can give anything, and for all that it can give", () => {
    expect(nextQuery(nine, order, new Set(asPartitions([-1, 0, 1, 5, 8])))).toEqual({
      nodeIndex: 0,
      partitions: [-1, 0, 1, 8],
    });
    expect(nextQuery(nine, order, new Set(asPartitions([4])))).toEqual({ nodeIndex: 4, partitions: [4] });
    expect(nextQuery(nine, order, new Set(asPartitions([3, 5])))).toEqual({
      nodeIndex: 4,
      partitions: [3, 5],
    });
  });

  it("leaves out what a node may not give, and the node where that is everything", () => {
    const mayGive = (nodeIndex: number, partition: number) => nodeIndex !== 0 && partition !== 8;
    expect(nextQuery(nine, order, new Set(asPartitions([0, 8])), mayGive)).toEqual({
      nodeIndex: 8,
      partitions: [0],
    });
    expect(nextQuery(nine, order, new Set(asPartitions([8])), mayGive)).toBeUndefined();
  });

  it("is none where nothing is needed, or nobody is left", () => {
    expect(nextQuery(nine, order, new Set())).toBeUndefined();
    expect(nextQuery(nine, [], new Set(asPartitions([1])))).toBeUndefined();
    expect(nextQuery(nine, asNodeIndexes([0]), new Set(asPartitions([4])))).toBeUndefined();
  });
});

describe("the plan", () => {
  it("of nine nodes asks three of them", () => {
    expect(planQueries(nine, order, new Set(allPartitions(nine)))).toEqual([
      { nodeIndex: 0, partitions: [-1, 0, 1, 2, 7, 8] },
      { nodeIndex: 8, partitions: [6] },
      { nodeIndex: 4, partitions: [3, 4, 5] },
    ]);
  });

  it("has no node that gives nothing new, and leaves out no other", () => {
    const settings = fc.record({
      numNodes: fc.integer({ min: 1, max: 120 }),
      nodesPerConsensusGroup: fc.integer({ min: 1, max: 9 }),
      nodesPerEdge: fc.integer({ min: 0, max: 5 }),
    });
    const property = fc.property(settings, fc.infiniteStream(fc.boolean()), (of, isNeeded) => {
      const shard = makeShard(of);
      const needed = new Set(allPartitions(shard).filter(() => isNeeded.next().value));
      const planned = new Map(
        planQueries(shard, queryOrder(of.numNodes), needed).map((query) => [query.nodeIndex, query]),
      );
      const open = new Set(needed);
      for (const nodeIndex of queryOrder(of.numNodes)) {
        const news = [-1, ...storedPartitions(shard, nodeIndex)].filter((partition) =>
          open.has(asPartition(partition)),
        );
        expect(planned.get(nodeIndex)?.partitions ?? []).toEqual(news);
        expect(planned.has(nodeIndex)).toBe(news.length > 0);
        for (const partition of news) open.delete(asPartition(partition));
      }
      expect(open.size).toBe(0);
    });
    fc.assert(property, seeded(300));
  });
});
