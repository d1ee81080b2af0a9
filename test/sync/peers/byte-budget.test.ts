import { describe, expect, it } from "vitest";
import { asNodeId, asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import { queryOrder } from "../../../src/protocol/query-order.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { ByteBudget } from "../../../src/sync/peers/byte-budget.ts";
import { PeerPool } from "../../../src/sync/peers/peer-pool.ts";

const MB = 1_000_000;
const shard = makeShard({ numNodes: 9 });
const partition = 4;

function makeBudget(freeBytes = Number.POSITIVE_INFINITY) {
  const nodes = Array.from({ length: shard.numNodes }, (_, index) => ({
    id: asNodeId(String(index).repeat(64)),
    publicKey: undefined,
    url: `http://127.0.0.1:${index + 1}`,
  }));
  const pool = new PeerPool(nodes, shard, queryOrder(shard.numNodes));
  const budget = new ByteBudget(pool);
  budget.freeBytes(freeBytes, 0);
  /** Whether a peer may send so many bytes, megabyte by megabyte; it is excluded where it may not. */
  const sends = (peer: number, bytes: number) => {
    for (let sent = 0; sent < bytes; sent += MB) {
      budget.hold({ query: peer, peer: asNodeIndex(peer), partition: asPartition(partition), bytes: sent });
      if (!budget.isOutgrown(peer)) continue;
      budget.exclude(asNodeIndex(peer), asPartition(partition), sent);
      budget.release(peer);
      return false;
    }
    budget.release(peer);
    return true;
  };
  return { pool, budget, sends };
}

describe("the byte budget", () => {
  it("is small at first, and not raised by what one node sends", () => {
    const { sends } = makeBudget();
    expect(sends(0, 30 * MB)).toBe(true);
    expect(sends(0, 40 * MB)).toBe(false);
    expect(sends(0, 40 * MB)).toBe(false);
    expect(sends(0, 40 * MB)).toBe(false);
  });

  it("grows once two other nodes have sent as much, and all may be asked again", () => {
    const { pool, sends } = makeBudget();
    expect(sends(4, 40 * MB)).toBe(false);
    expect(pool.mayGive(asNodeIndex(4), asPartition(partition))).toBe(false);
    expect(sends(3, 40 * MB)).toBe(false);
    expect(sends(5, 220 * MB)).toBe(true);
    expect(pool.mayGive(asNodeIndex(4), asPartition(partition))).toBe(true);
    expect(sends(4, 220 * MB)).toBe(true);
  });

  it("comes to five gigabytes after four answers that were broken off, and blames none of them", () => {
    const { budget, sends } = makeBudget();
    const outcomes: boolean[] = [];
    for (const node of [4, 3, 5, 6, 2]) outcomes.push(sends(node, 5_000 * MB));
    expect(outcomes).toEqual([false, false, false, false, true]);
    expect(budget.oversized(asPartition(partition), 5_000 * MB)).toEqual([]);
  });

  it("grows for the last node that has a partition", () => {
    const { pool, sends } = makeBudget();
    for (let node = 0; node < shard.numNodes; node++) {
      if (node !== 4)
        pool.exclude(asNodeIndex(node), asPartition(partition), {
          reason: "wrong",
          detail: "gave another one",
        });
    }
    expect(sends(4, 40 * MB)).toBe(true);
  });

  it("is some times the largest partition that is confirmed", () => {
    const { budget, sends } = makeBudget();
    budget.confirm(220 * MB);
    expect(sends(4, 800 * MB)).toBe(true);
    expect(sends(4, 1_000 * MB)).toBe(false);
  });

  it("names whoever sent more than a partition turns out to have, and nobody else", () => {
    const { budget, sends } = makeBudget();
    sends(3, 30 * MB);
    sends(5, 60 * MB);
    expect(budget.oversized(asPartition(partition + 1), 20 * MB)).toEqual([]);
    expect(budget.oversized(asPartition(partition), 20 * MB)).toMatchObject([{ peer: 5 }]);
  });

  it("is no more than a share of the free disk, over all responses, and more in the end", () => {
    const { budget } = makeBudget(10 * MB);
    const hold = (query: number, bytes: number) =>
      budget.hold({ query, peer: asNodeIndex(query), partition: asPartition(partition), bytes });
    hold(1, 3 * MB);
    expect(budget.excess).toBeUndefined();
    hold(2, 6 * MB);
    expect(budget.excess).toEqual({ held: 9 * MB, free: 10 * MB });
    budget.release(1);
    budget.release(2);
    budget.useLastShare();
    hold(3, 8 * MB);
    expect(budget.excess).toBeUndefined();
  });
});
