import { describe, expect, it } from "vitest";
import { queryOrder } from "../../src/protocol/query-order.ts";
import { allPartitions, makeShard, storedPartitions } from "../../src/protocol/shard.ts";
import { planQueries } from "../../src/sync/strategy/algorithm-1.ts";

/** Settings that vary with the size, so that stores overlap a lot, a little, and not at all. */
function shardOf(numNodes: number) {
  return makeShard({ numNodes, nodesPerConsensusGroup: 1 + (numNodes % 6), nodesPerEdge: numNodes % 4 });
}

describe("the order of queries", () => {
  it("is a permutation of the nodes, for every number of nodes up to 2,000", () => {
    const wrong: number[] = [];
    for (let numNodes = 0; numNodes <= 2000; numNodes++) {
      const seen = new Uint8Array(numNodes);
      const order = queryOrder(numNodes);
      for (const index of order) if (index in seen) seen[index] = 1;
      if (order.length !== numNodes || seen.includes(0)) wrong.push(numNodes);
    }
    expect(wrong).toEqual([]);
  });

  it("begins at the ends and continues with the middle", () => {
    for (const numNodes of [3, 4, 50, 1999, 2000]) {
      expect(queryOrder(numNodes).slice(0, 3)).toEqual([0, numNodes - 1, Math.floor((numNodes - 1) / 2)]);
    }
  });
});

describe("the planned queries", () => {
  it("take each partition from one node that stores it, for every number of nodes up to 2,000", () => {
    const wrong: string[] = [];
    for (let numNodes = 1; numNodes <= 2000; numNodes++) {
      const shard = shardOf(numNodes);
      const taken = new Set<number>();
      for (const { nodeIndex, partitions } of planQueries(
        shard,
        queryOrder(numNodes),
        new Set(allPartitions(shard)),
      )) {
        const stored = new Set([-1, ...storedPartitions(shard, nodeIndex)]);
        for (const partition of partitions) {
          if (!stored.has(partition))
            wrong.push(`${numNodes}: node ${nodeIndex} does not store partition ${partition}`);
          if (taken.has(partition)) wrong.push(`${numNodes}: partition ${partition} is taken twice`);
          taken.add(partition);
        }
      }
      if (taken.size !== numNodes + 1) wrong.push(`${numNodes}: ${taken.size} partitions are taken`);
    }
    expect(wrong).toEqual([]);
  });
});
