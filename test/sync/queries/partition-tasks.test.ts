import { describe, expect, it } from "vitest";
import { asPartition } from "../../../src/protocol/brands.ts";
import { PartitionTasks } from "../../../src/sync/queries/partition-tasks.ts";
import { asPartitions } from "../../helpers/brands.ts";

describe("a partition task", () => {
  it("is missing again when its only query is over", () => {
    const tasks = new PartitionTasks(asPartitions([0, 1]));
    tasks.assign(asPartition(0), 7);
    expect([...tasks.missing]).toEqual([1]);
    expect(tasks.givenBy(7)).toEqual([0]);
    tasks.release(7);
    expect([...tasks.missing].sort()).toEqual([0, 1]);
  });

  it("stays in flight while another query gives it", () => {
    const tasks = new PartitionTasks(asPartitions([0]));
    tasks.assign(asPartition(0), 1);
    tasks.assign(asPartition(0), 2);
    tasks.release(1);
    expect(tasks.task(asPartition(0))).toEqual({ state: "in-flight", queries: new Set([2]) });
    expect([...tasks.missing]).toEqual([]);
  });

  it("is not wanted while it is committed, and pending until it is in its place", () => {
    const tasks = new PartitionTasks(asPartitions([0]));
    tasks.assign(asPartition(0), 1);
    tasks.assign(asPartition(0), 2);
    tasks.settle(asPartition(0), 2);
    expect([tasks.isWanted(asPartition(0)), tasks.pending.has(asPartition(0)), tasks.givenBy(1)]).toEqual([
      false,
      true,
      [],
    ]);
    tasks.commit(asPartition(0));
    expect([tasks.pending.has(asPartition(0)), tasks.missing.has(asPartition(0))]).toEqual([false, false]);
    tasks.release(1);
    expect(tasks.task(asPartition(0))).toEqual({ state: "done" });
  });

  it("is in flight again where it could not be stored", () => {
    const tasks = new PartitionTasks(asPartitions([0]));
    tasks.assign(asPartition(0), 1);
    tasks.settle(asPartition(0), 1);
    tasks.unsettle(asPartition(0));
    expect(tasks.isWanted(asPartition(0))).toBe(true);
    tasks.release(1);
    expect([...tasks.missing]).toEqual([0]);
  });

  const misuses: readonly { id: string; misuse: (tasks: PartitionTasks) => void }[] = [
    { id: "settled without a query", misuse: (tasks) => tasks.settle(asPartition(0), 1) },
    {
      id: "settled by a query that does not give it",
      misuse: (tasks) => {
        tasks.assign(asPartition(0), 1);
        tasks.settle(asPartition(0), 2);
      },
    },
    {
      id: "settled twice",
      misuse: (tasks) => {
        tasks.assign(asPartition(0), 1);
        tasks.settle(asPartition(0), 1);
        tasks.settle(asPartition(0), 1);
      },
    },
    { id: "committed without being settled", misuse: (tasks) => tasks.commit(asPartition(0)) },
    {
      id: "released while its query commits it",
      misuse: (tasks) => {
        tasks.assign(asPartition(0), 1);
        tasks.settle(asPartition(0), 1);
        tasks.release(1);
      },
    },
    {
      id: "assigned after it is done",
      misuse: (tasks) => {
        tasks.assign(asPartition(0), 1);
        tasks.settle(asPartition(0), 1);
        tasks.commit(asPartition(0));
        tasks.assign(asPartition(0), 2);
      },
    },
    { id: "unknown", misuse: (tasks) => tasks.assign(asPartition(9), 1) },
  ];

  it.each(misuses)("throws where it is $id", ({ misuse }) => {
    expect(() => misuse(new PartitionTasks(asPartitions([0])))).toThrow(/^cannot /);
  });
});
