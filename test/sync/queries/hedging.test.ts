import { describe, expect, it } from "vitest";
import { hedgesMax, queriesPerPartitionMax } from "../../../src/limits/sync.ts";
import { asNodeIndex, asPartition, type Partition } from "../../../src/protocol/brands.ts";
import { stragglingPartitions, yieldsTo } from "../../../src/sync/queries/hedging.ts";
import { PartitionTasks } from "../../../src/sync/queries/partition-tasks.ts";
import { isUseful, type Query } from "../../../src/sync/queries/query.ts";
import { ResponseProgress } from "../../../src/sync/queries/response-progress.ts";
import { asPartitions } from "../../helpers/brands.ts";

function queryOf(id: number, partitions: readonly number[], more: Partial<Query> = {}): Query {
  return {
    id,
    peer: asNodeIndex(id),
    partitions: asPartitions(partitions),
    isHedge: false,
    startedMs: 0,
    verified: 0,
    state: { kind: "idle" },
    ...more,
  };
}

function requesting(requested: readonly number[]): Query["state"] {
  const request = {
    requested: new Set(asPartitions(requested)),
    bases: new Map(),
    isDelta: false,
    progress: new ResponseProgress(0),
    begun: new Set<Partition>(),
  };
  return { kind: "requesting", request };
}

function tasksOf(partitions: readonly number[], queries: readonly Query[]): PartitionTasks {
  const tasks = new PartitionTasks(asPartitions(partitions));
  for (const { id, partitions } of queries) for (const partition of partitions) tasks.assign(partition, id);
  return tasks;
}

describe("a query that others have given something of", () => {
  it("is useful as long as something that it requested is wanted", () => {
    const query = queryOf(0, [0, 1, 2], { state: requesting([0, 1]) });
    expect(isUseful(query, asPartitions([1, 2]))).toBe(true);
    expect(isUseful(query, [asPartition(2)])).toBe(false);
  });

  it("is useful for what it gives without a request, as a node does that knows no ranges", () => {
    const query = queryOf(0, [0], { state: requesting([0]) });
    expect(isUseful(query, [asPartition(1)])).toBe(true);
    expect(isUseful(query, [])).toBe(false);
  });
});

describe("a hedge", () => {
  const slow = Array.from({ length: 4 }, (_, id) => queryOf(id, [id]));
  const hedges = Array.from({ length: hedgesMax }, (_, id) => queryOf(9 + id, [id], { isHedge: true }));

  it("is for partitions that stragglers alone give", () => {
    const [straggler, other] = [queryOf(0, [0, 1]), queryOf(1, [1])];
    const tasks = tasksOf([0, 1], [straggler, other]);
    expect([...stragglingPartitions([straggler], tasks)]).toEqual([0]);
    expect([...stragglingPartitions([straggler, other], tasks)]).toEqual([0, 1]);
  });

  it("uses the free places and one place more, and then that of a straggler", () => {
    const tasks = tasksOf([0, 1, 2, 3], slow);
    const yielding = (running: Query[], concurrency: number) =>
      yieldsTo([asPartition(0)], { running, stragglers: slow, concurrency }, tasks);
    expect(yielding(slow, 8)).toEqual([]);
    expect(yielding(slow, 4)).toEqual([]);
    expect(yielding([...slow, ...hedges.slice(0, 1)], 4)).toHaveLength(1);
    expect(yielding([...slow, ...hedges.slice(0, 1)], 8)).toEqual([]);
    expect(yielding([...slow, ...hedges], 64)).toHaveLength(1);
  });

  it("cancels one of the queries for a partition that as many give as may", () => {
    const running = Array.from({ length: queriesPerPartitionMax }, (_, id) => queryOf(id, [0]));
    const context = { running, stragglers: [], concurrency: 8 };
    expect(yieldsTo(asPartitions([0, 1]), context, tasksOf([0, 1], running.slice(1)))).toEqual([]);
    expect(yieldsTo(asPartitions([0, 1]), context, tasksOf([0, 1], running))).toHaveLength(1);
  });

  it("cancels the query that has given least, and that is not alone with something else", () => {
    const useful = queryOf(0, [0], { verified: 3 });
    const [alone, useless] = [queryOf(1, [0, 1]), queryOf(2, [0], { isHedge: true })];
    const running = [useful, alone, useless];
    const tasks = tasksOf([0, 1, 2], running);
    expect(yieldsTo([asPartition(0)], { running, stragglers: [], concurrency: 8 }, tasks)).toEqual([useless]);
    expect(yieldsTo([asPartition(2)], { running, stragglers: running, concurrency: 1 }, tasks)).toEqual([
      useless,
    ]);
  });
});
