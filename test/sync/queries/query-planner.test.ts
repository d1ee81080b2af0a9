import { describe, expect, it } from "vitest";
import { mirrorPartitionsMax } from "../../../src/limits/sync.ts";
import {
  asMirrorIndex,
  asMirrorUrl,
  asNodeId,
  asNodeIndex,
  asPartition,
  type Partition,
  type PeerIndex,
} from "../../../src/protocol/brands.ts";
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

describe("the planner with mirrors", () => {
  const mirrors = [asMirrorUrl("http://a"), asMirrorUrl("http://b")];
  const [mirrorA, mirrorB] = [asMirrorIndex(9), asMirrorIndex(10)];
  const everything = new Set([...asPartitions([-1]), ...all]);
  const only = (...partitions: number[]) => new Set(asPartitions(partitions));
  const rules = ["bisect", "cover"] as const;
  const withFailure = (pool: PeerPool, peer: PeerIndex) => {
    pool.begin(peer);
    pool.fail(peer, { message: "", status: 404, isCounted: true }, { retry: false }, 0);
  };
  /** Begins queries until there is none. */
  const queriesOf = (pool: PeerPool, rule: OrderRule, needed: ReadonlySet<Partition>) => {
    const { planner } = plannerOf(pool, rule);
    const open = new Set(needed);
    const queries: { readonly nodeIndex: PeerIndex; readonly partitions: readonly Partition[] }[] = [];
    for (let next = planner.next(open, 0); next !== undefined; next = planner.next(open, 0)) {
      const { query, rest } = next;
      planner.started(rest);
      pool.begin(query.nodeIndex);
      queries.push(query);
      for (const partition of query.partitions) open.delete(partition);
    }
    return queries;
  };

  it.each(rules)("queries by the rule %s no mirror while validators can give everything", (rule) => {
    const queries = queriesOf(peerPool(ring, undefined, mirrors), rule, everything);
    expect(queries.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)).toEqual([-1, ...all]);
    for (const { nodeIndex } of queries) expect(nodeIndex).toBeLessThan(9);
  });

  it.each(rules)("shares by the rule %s what no validator can give among mirrors", (rule) => {
    const pool = peerPool(ring, undefined, mirrors);
    // Partition 4 is stored by the nodes 2 to 6.
    for (const peer of [2, 3, 4, 5, 6]) withFailure(pool, asNodeIndex(peer));
    const [mirror, ...others] = queriesOf(pool, rule, only(4, 5))
      .filter(({ nodeIndex }) => nodeIndex >= 9)
      .map(({ partitions }) => partitions);
    expect({ mirror, others }).toEqual({ mirror: [4], others: [] });
    const allFailed = peerPool(ring, undefined, mirrors);
    for (let peer = 0; peer < 9; peer++) withFailure(allFailed, asNodeIndex(peer));
    expect(queriesOf(allFailed, rule, everything)).toEqual([
      { nodeIndex: 9, partitions: [-1, 0, 1, 2, 3] },
      { nodeIndex: 10, partitions: [4, 5, 6, 7, 8] },
    ]);
  });

  it.each(rules)("queries by the rule %s a validator that has failed after a mirror", (rule) => {
    const pool = peerPool(ring, new Map([[asNodeId("4".repeat(64)), 1]]), mirrors);
    for (const peer of [2, 3, 5, 6]) withFailure(pool, asNodeIndex(peer));
    expect(plannerOf(pool, rule).planner.next(only(4), 0)?.query).toEqual({ nodeIndex: 9, partitions: [4] });
    withFailure(pool, mirrorA);
    withFailure(pool, mirrorB);
    expect(plannerOf(pool, rule).planner.next(only(4), 0)?.query.nodeIndex).toBe(4);
  });

  it("hedges at a mirror what no other validator can give, and at no mirror twice", () => {
    const pool = peerPool(ring, undefined, mirrors);
    for (const peer of [2, 3, 4, 5, 6]) withFailure(pool, asNodeIndex(peer));
    const { planner } = plannerOf(pool, "bisect");
    const asked = (peer: PeerIndex) => only(...(peer === mirrorA ? [4] : []));
    expect(planner.hedge(only(4), asked, 0)).toEqual({ nodeIndex: 10, partitions: [4] });
  });

  it("leaves partitions beyond the bound to later queries", () => {
    const many = makeShard({ numNodes: 100, nodesPerConsensusGroup: 3 });
    const pool = peerPool(many, undefined, mirrors.slice(0, 1));
    for (let peer = 0; peer < 100; peer++) withFailure(pool, asNodeIndex(peer));
    const needed = new Set(ringPartitions(many));
    const { planner } = plannerOf(pool, "cover", many);
    expect(planner.next(needed, 0)?.query.partitions).toHaveLength(mirrorPartitionsMax);
  });
});
