import { describe, expect, it } from "vitest";
import { queryOrder } from "../../src/protocol/query-order.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { ByteBudgetOfResponses } from "../../src/sync/byte-budget.ts";
import { PeerPool } from "../../src/sync/peer-pool.ts";

const MB = 1_000_000;
const shard = makeShard({ numNodes: 9 });
const partition = 4;

function makeBudget(freeBytes = Number.POSITIVE_INFINITY) {
  const nodes = Array.from({ length: shard.numNodes }, (_, index) => ({
    id: String(index).repeat(64),
    publicKey: "0".repeat(64),
    url: `http://127.0.0.1:${index + 1}`,
  }));
  const book = new PeerPool(nodes, shard, queryOrder(shard.numNodes));
  const budget = new ByteBudgetOfResponses(book, () => Promise.resolve(freeBytes));
  /** Whether a node may send so much, bit by bit; it is refused where it may not. */
  const sends = async (node: number, bytes: number) => {
    for (let sent = 0; sent < bytes; sent += MB) {
      if (await budget.mayHold(node, node, partition, sent)) continue;
      budget.refuse(node, partition, sent);
      budget.ended(node);
      return false;
    }
    budget.ended(node);
    return true;
  };
  return { book, budget, sends };
}

describe("the budget of an answer", () => {
  it("is small at first, and not raised by what one node sends", async () => {
    const { sends } = makeBudget();
    expect(await sends(0, 30 * MB)).toBe(true);
    expect(await sends(0, 40 * MB)).toBe(false);
    expect(await sends(0, 40 * MB)).toBe(false);
    expect(await sends(0, 40 * MB)).toBe(false);
  });

  it("grows once two other nodes have sent as much, and all may be asked again", async () => {
    const { book, sends } = makeBudget();
    expect(await sends(4, 40 * MB)).toBe(false);
    expect(book.mayGive(4, partition)).toBe(false);
    expect(await sends(3, 40 * MB)).toBe(false);
    expect(await sends(5, 220 * MB)).toBe(true);
    expect(book.mayGive(4, partition)).toBe(true);
    expect(await sends(4, 220 * MB)).toBe(true);
  });

  it("comes to five gigabytes after four answers that were broken off, and blames none of them", async () => {
    const { budget, sends } = makeBudget();
    const outcomes: boolean[] = [];
    for (const node of [4, 3, 5, 6, 2]) outcomes.push(await sends(node, 5_000 * MB));
    expect(outcomes).toEqual([false, false, false, false, true]);
    expect(budget.confirmed(partition, 5_000 * MB)).toEqual([]);
  });

  it("grows for the last node that has a partition", async () => {
    const { book, sends } = makeBudget();
    for (let node = 0; node < shard.numNodes; node++) {
      if (node !== 4) book.refuse(node, partition, "wrong", "gave another one");
    }
    expect(await sends(4, 40 * MB)).toBe(true);
  });

  it("is some times the largest partition that is confirmed", async () => {
    const { budget, sends } = makeBudget();
    expect(budget.confirmed(3, 220 * MB)).toEqual([]);
    expect(await sends(4, 800 * MB)).toBe(true);
    expect(await sends(4, 1_000 * MB)).toBe(false);
  });

  it("blames whoever sent more than a partition turns out to have, and nobody else", async () => {
    const { budget, sends } = makeBudget();
    await sends(3, 30 * MB);
    await sends(5, 60 * MB);
    expect(budget.confirmed(partition + 1, 20 * MB)).toEqual([]);
    expect(budget.confirmed(partition, 20 * MB)).toMatchObject([
      { node: "5".repeat(64), kind: "oversized-answer", partition },
    ]);
  });

  it("is no more than a share of the free disk, over all answers, and more in the end", async () => {
    const { budget } = makeBudget(10 * MB);
    expect(await budget.mayHold(1, 1, partition, 3 * MB)).toBe(true);
    await expect(budget.mayHold(2, 2, partition, 6 * MB)).rejects.toMatchObject({ code: "disk" });
    budget.ended(1);
    budget.ended(2);
    budget.allowLastShare();
    expect(await budget.mayHold(3, 3, partition, 8 * MB)).toBe(true);
  });
});
