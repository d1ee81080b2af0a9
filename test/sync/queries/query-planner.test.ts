import { describe, expect, it } from "vitest";
import { asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import { makeShard, ringPartitions } from "../../../src/protocol/shard.ts";
import type { PeerPool } from "../../../src/sync/peers/peer-pool.ts";
import { Throughput } from "../../../src/sync/peers/throughput.ts";
import { QueryPlanner } from "../../../src/sync/queries/query-planner.ts";
import type { OrderRule } from "../../../src/sync/strategy/order-rule.ts";
import { asPartitions } from "../../helpers/brands.ts";
import { allStoreAll, peerPool } from "../scheduler-driver.ts";

/** Each peer stores its own partition and two on either side. */
const ring = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const all = new Set(ringPartitions(ring));

function plannerOf(pool: PeerPool, rule: OrderRule, shard = ring) {
  const throughput = new Throughput();
  return { throughput, planner: new QueryPlanner({ shard, pool, throughput, rule, isEmpty: () => false }) };
}

describe("the planner", () => {
  it.each(["bisect", "cover"] as const)("has no query by the rule %s where nothing is needed", (rule) => {
    expect(plannerOf(peerPool(ring), rule).planner.next(new Set(), 0)).toBeUndefined();
  });

  it("queries by Algorithm 1 the first peer of the order for all that it stores", () => {
    const { planner } = plannerOf(peerPool(ring), "bisect");
    expect(planner.next(all, 0)?.query).toEqual({
      nodeIndex: 0,
      partitions: [0, 1, 2, 7, 8],
    });
  });

  it("queries no peer for a partition that it is excluded from", () => {
    const pool = peerPool(ring);
    pool.exclude(asNodeIndex(0), asPartition(1), { reason: "wrong", detail: "" });
    expect(plannerOf(pool, "bisect").planner.next(all, 0)?.query.partitions).toEqual([0, 2, 7, 8]);
  });

  it("queries slow peers after fast ones", () => {
    const { planner, throughput } = plannerOf(peerPool(allStoreAll), "bisect", allStoreAll);
    throughput.note(asNodeIndex(0), { firstByteMs: 60_000, bytes: 0, bytesMs: 0 });
    throughput.note(asNodeIndex(2), { firstByteMs: 10, bytes: 0, bytesMs: 0 });
    throughput.note(asNodeIndex(1), { firstByteMs: 10, bytes: 0, bytesMs: 0 });
    expect(planner.next(new Set(asPartitions([0])), 0)?.query.nodeIndex).toBe(2);
  });

  it("follows a cover while its queries begin as planned", () => {
    const { planner } = plannerOf(peerPool(ring), "cover");
    const needed = new Set(all);
    const peers: number[] = [];
    for (let next = planner.next(needed, 0); next !== undefined; next = planner.next(needed, 0)) {
      const { query, rest } = next;
      planner.started(rest);
      peers.push(query.nodeIndex);
      for (const partition of query.partitions) needed.delete(partition);
    }
    expect([peers.length, needed.size]).toEqual([2, 0]);
  });

  it("computes another cover where the next peer cannot be queried", () => {
    const pool = peerPool(ring);
    const { planner } = plannerOf(pool, "cover");
    const first = planner.next(all, 0)?.query.nodeIndex;
    pool.begin(asNodeIndex(first as number));
    expect(planner.next(all, 0)?.query.nodeIndex).not.toBe(first);
  });

  it.each(["bisect", "cover"] as const)(
    "returns the same query by the rule %s whatever was requested of it before",
    (rule) => {
      const pool = peerPool(ring);
      const { planner } = plannerOf(pool, rule);
      const whole = planner.next(all, 0);
      expect(planner.next(new Set(asPartitions([4])), 0)?.query.partitions).toEqual([4]);
      expect(planner.next(all, 5_000)).toEqual(whole);
      expect(planner.next(all, 0)).toEqual(whole);
    },
  );

  it("hedges to the fewest peers, none of which was requested for the partitions", () => {
    const { planner } = plannerOf(peerPool(allStoreAll), "bisect", allStoreAll);
    const requestedOf = (peer: number) => new Set(asPartitions(peer === 0 ? [0, 1] : []));
    expect(planner.hedge(new Set(asPartitions([0, 1])), requestedOf, 0)).toEqual({
      nodeIndex: 2,
      partitions: [0, 1],
    });
    expect(planner.hedge(new Set(asPartitions([0])), () => new Set(asPartitions([0])), 0)).toBeUndefined();
  });
});
