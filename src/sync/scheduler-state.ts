/** The state of a run as data, for a person who asks why the run does not end. */

import type { Partition } from "../protocol/brands.ts";
import { allNodes } from "../protocol/shard.ts";
import { type Query, requestOf } from "./queries/query.ts";
import type { RunState } from "./run-state.ts";

export interface SchedulerState {
  readonly missing: readonly Partition[];
  readonly committing: readonly Partition[];
  readonly queries: readonly {
    readonly node: string;
    readonly state: Query["state"]["kind"];
    readonly isHedge: boolean;
    readonly partitions: readonly Partition[];
    readonly sinceMs: number;
    readonly bytes: number;
  }[];
  readonly peers: Readonly<Record<"idle" | "busy" | "backing-off" | "given-up", number>>;
  readonly nextRetryInMs: number | undefined;
}

export function describeState({ tasks, queries, pool }: RunState, nowMs: number): SchedulerState {
  const pending = [...tasks.pending].sort((a, b) => a - b);
  const peers = { idle: 0, busy: 0, "backing-off": 0, "given-up": 0 };
  for (const peer of allNodes({ numNodes: pool.size })) peers[pool.state(peer).kind]++;
  const retryMs = pool.nextAvailableMs(tasks.pending);
  return {
    missing: pending.filter((partition) => tasks.task(partition)?.state === "missing"),
    committing: pending.filter((partition) => tasks.task(partition)?.state === "committing"),
    queries: [...queries.all()].map((query) => ({
      node: pool.id(query.peer),
      state: query.state.kind,
      isHedge: query.isHedge,
      partitions: tasks.givenBy(query.id),
      sinceMs: Math.round(nowMs - query.startedMs),
      bytes: requestOf(query)?.progress.at(nowMs).bytes ?? 0,
    })),
    peers,
    nextRetryInMs: retryMs === undefined ? undefined : Math.max(0, Math.round(retryMs - nowMs)),
  };
}
