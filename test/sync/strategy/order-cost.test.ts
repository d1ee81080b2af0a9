import { describe, expect, it } from "vitest";
import { asNodeIndex } from "../../../src/protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard } from "../../../src/protocol/shard.ts";
import { orderCost } from "../../../src/sync/strategy/order-cost.ts";
import { asPartitions } from "../../helpers/brands.ts";

/** Each node stores its own partition and two on either side. */
const shard = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });

describe("the cost of queries", () => {
  it("is nothing where nothing is queried", () => {
    expect(orderCost(shard, [])).toEqual({
      nodes: 0,
      withRanges: { requests: 0, partitionsReceived: 0 },
      withoutRanges: { requests: 0, partitionsReceived: 0 },
    });
  });

  it("is one request per range from nodes that know ranges, and everything once from the others", () => {
    const queries = [
      { nodeIndex: asNodeIndex(4), partitions: asPartitions([GLOBAL_PARTITION, 2, 3, 4, 5, 6]) },
      { nodeIndex: asNodeIndex(0), partitions: asPartitions([0, 7]) },
    ];
    expect(orderCost(shard, queries)).toEqual({
      nodes: 2,
      withRanges: { requests: 3, partitionsReceived: 8 },
      withoutRanges: { requests: 2, partitionsReceived: 12 },
    });
  });
});
