import { describe, expect, it } from "vitest";
import { giversMax, overtakingsAtOnceMax } from "../../src/limits/limits.ts";
import { giveWay, stragglingPartitions } from "../../src/sync/hedging.ts";
import { NodeQuery } from "../../src/sync/node-query.ts";
import { PartitionTasks } from "../../src/sync/partition-tasks.ts";

function queryOf(nodeIndex: number, partitions: readonly number[], isOvertaking = false): NodeQuery {
  return new NodeQuery({ nodeIndex, partitions }, isOvertaking);
}

describe("the claims on partitions", () => {
  it("give a partition to one query, and open it again when that is over without it", () => {
    const claims = new PartitionTasks([0, 1, 2]);
    const [first, second] = [queryOf(0, [0, 1]), queryOf(1, [2])];
    claims.begin(first);
    expect([...claims.open]).toEqual([2]);
    expect(claims.claim(0, second)).toBe(false);
    expect(claims.claim(2, second)).toBe(true);
    claims.release(first);
    expect([...claims.open].sort()).toEqual([0, 1]);
    expect(claims.claim(0, second)).toBe(true);
  });

  it("let two queries give what one is late with, and stay with the other when one is over", () => {
    const claims = new PartitionTasks([0]);
    const [late, other] = [queryOf(0, [0]), queryOf(1, [0], true)];
    claims.begin(late);
    claims.begin(other);
    expect([claims.claim(0, late), claims.claim(0, other)]).toEqual([true, true]);
    claims.release(late);
    expect([...claims.open]).toEqual([]);
    expect(claims.claim(0, other)).toBe(true);
    expect([0, 1, 2].map((node) => claims.askedOf(node).has(0))).toEqual([true, true, false]);
  });

  it("take right content once, however close the second comes", () => {
    const claims = new PartitionTasks([0, 1]);
    const [late, other] = [queryOf(0, [0, 1]), queryOf(1, [0], true)];
    claims.begin(late);
    claims.begin(other);
    expect(claims.settle(0)).toBe(true);
    // It is not in its place yet: it is missing still, and no longer wanted.
    expect(claims.settle(0)).toBe(false);
    expect([claims.missing.has(0), claims.claim(0, late)]).toEqual([true, false]);
    expect(claims.verified(0, other)).toEqual([late]);
    expect([claims.missing.has(0), claims.open.has(0), claims.settle(0)]).toEqual([false, false, false]);
    claims.release(late);
    expect([...claims.open]).toEqual([1]);
  });
});

describe("a query", () => {
  it("is overtaken when nothing of what it is asked for is wanted any more, and not before", () => {
    const wanted = new Set([0, 1]);
    const query = queryOf(0, [0, 1, 2]);
    query.ask(new Set([0, 1]), () => 0);
    wanted.delete(0);
    query.overtaken([...wanted]);
    expect([query.cancellation, query.signal.aborted]).toEqual([undefined, false]);
    wanted.delete(1);
    query.overtaken([...wanted, 2]);
    expect([query.cancellation, query.signal.aborted]).toEqual(["overtaken", true]);
    query.cancel("not needed");
    expect(query.cancellation).toBe("overtaken");
    expect(() => query.ask(new Set([2]), () => 0)).toThrow();
  });
});

describe("a query that gives more than it was asked for", () => {
  it("is late with that as well, and is not overtaken as long as it is wanted", () => {
    const claims = new PartitionTasks([0, 1, 2]);
    const query = queryOf(0, [0]);
    claims.begin(query);
    query.ask(new Set([0]), () => 0);
    expect(claims.claim(1, query)).toBe(true);
    expect(claims.heldBy(query)).toEqual([0, 1]);
    expect([...stragglingPartitions(new Set([query]), claims)]).toEqual([0, 1]);
    claims.settle(0);
    query.overtaken(claims.heldBy(query));
    expect(query.cancellation).toBeUndefined();
    claims.settle(1);
    query.overtaken(claims.heldBy(query));
    expect(query.cancellation).toBe("overtaken");
  });
});

describe("overtaking", () => {
  const none = new Set<NodeQuery>();
  const slow = Array.from({ length: 4 }, (_, node) => queryOf(node, [node]));
  const fast = Array.from({ length: overtakingsAtOnceMax }, (_, node) => queryOf(9 + node, [node], true));

  it("uses the room that there is and one place more, and then that of one that is late", () => {
    const claims = new PartitionTasks([0, 1, 2, 3]);
    const waysOf = (running: NodeQuery[], concurrency: number) =>
      giveWay([0], { running, late: new Set(slow), concurrency }, claims);
    expect(waysOf(slow, 8)).toEqual([]);
    expect(waysOf(slow, 4)).toEqual([]);
    expect(waysOf([...slow, ...fast.slice(0, 1)], 4)).toHaveLength(1);
    expect(waysOf([...slow, ...fast.slice(0, 1)], 8)).toEqual([]);
    expect(waysOf([...slow, ...fast], 64)).toHaveLength(1);
  });

  it("makes room where as many are giving a partition as may", () => {
    const claims = new PartitionTasks([0, 1]);
    const givers = Array.from({ length: giversMax }, (_, node) => queryOf(node, [0], node > 0));
    const ways = () => giveWay([0, 1], { running: givers, late: none, concurrency: 8 }, claims);
    for (const query of givers.slice(1)) claims.begin(query);
    expect(ways()).toEqual([]);
    claims.begin(givers[0] as NodeQuery);
    expect(ways()).toHaveLength(1);
  });

  it("has those give way who have given least, and who are not alone with something else", () => {
    const claims = new PartitionTasks([0, 1, 2]);
    const [useful, alone, useless] = [queryOf(0, [0]), queryOf(1, [0, 1]), queryOf(2, [0], true)];
    useful.verified = 3;
    for (const query of [useful, alone, useless]) claims.begin(query);
    const running = [useful, alone, useless];
    expect(giveWay([0], { running, late: none, concurrency: 8 }, claims)).toEqual([useless]);
    expect(giveWay([2], { running, late: new Set(running), concurrency: 1 }, claims)).toEqual([useless]);
  });
});
