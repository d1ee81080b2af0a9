/** What the scheduler decides, and what it is notified of. */

import type { ResponseReport } from "../artifact/response-report.ts";
import type { Partition, PeerIndex } from "../protocol/brands.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";
import type { Base } from "./queries/partition-bases.ts";
import type { QueryId } from "./queries/partition-tasks.ts";
import type { Cancellation } from "./queries/query.ts";
import type { Cover } from "./queries/query-planner.ts";
import type { PlannedQuery } from "./strategy/algorithm-1.ts";

/** The next thing to do. The runner applies every {@link Decision} as an event, and performs it. */
export type Action =
  | Decision
  /** Nothing, until an event or that time. */
  | { readonly type: "wait"; readonly untilMs: number | undefined }
  | { readonly type: "done" }
  /** No peer is left that could give what is missing. */
  | { readonly type: "give-up" };

/** Send the next request of a query. */
export interface RequestDecision {
  readonly type: "request";
  readonly query: QueryId;
  readonly peer: PeerIndex;
  readonly body: SnapshotReq;
  readonly partitions: readonly Partition[];
  /** What the response is to complete. */
  readonly bases: ReadonlyMap<Partition, Base>;
}

/** An action that changes the state. */
export type Decision =
  /** Begin a query; a hedge may cancel others. */
  | {
      readonly type: "start";
      readonly query: PlannedQuery<PeerIndex>;
      /** The rest of the cover that the query is part of; `undefined` for a hedge and for Algorithm 1. */
      readonly rest: Cover | undefined;
      readonly isHedge: boolean;
      readonly yielding: readonly QueryId[];
    }
  | RequestDecision
  | { readonly type: "cancel"; readonly query: QueryId; readonly reason: Cancellation }
  /** The query has nothing left to request. */
  | { readonly type: "end"; readonly query: QueryId }
  /**
   * Every peer was requested for these partitions: each may be requested again, and gets more time. `isBounded`: up to
   * a bound, since the stragglers continue.
   */
  | { readonly type: "back-off"; readonly partitions: ReadonlySet<Partition>; readonly isBounded: boolean }
  /** Only peers are left that sent more than the byte budget allows. */
  | { readonly type: "grow-budget" }
  /**
   * Only stragglers are left, and partitions that the disk had no space for: cancel the former, and request the latter
   * again, one response at a time.
   */
  | { readonly type: "use-last-share"; readonly yielding: readonly QueryId[] };

/** What has happened. Times are milliseconds of the run's clock. */
export type SchedulerEvent =
  | { readonly type: "decided"; readonly decision: Decision; readonly atMs: number }
  /** A chunk of a response has arrived. */
  | { readonly type: "received"; readonly query: QueryId; readonly bytes: number; readonly atMs: number }
  /** The chunk is processed, and the run waits for the next one. */
  | { readonly type: "waiting"; readonly query: QueryId; readonly atMs: number }
  /** A response has accounts of a partition. */
  | { readonly type: "begun"; readonly query: QueryId; readonly partition: Partition }
  | { readonly type: "free-space"; readonly bytes: number; readonly atMs: number }
  /** A response holds this many bytes that no hash confirms; the partition is the one that grows. */
  | { readonly type: "held"; readonly query: QueryId; readonly partition: Partition; readonly bytes: number }
  /** A response has a partition with the agreed hash. */
  | { readonly type: "settled"; readonly query: QueryId; readonly partition: Partition }
  /** The settled partition could not be stored. */
  | { readonly type: "unsettled"; readonly partition: Partition }
  /** The settled partition is stored. */
  | {
      readonly type: "committed";
      readonly partition: Partition;
      readonly bytes: number;
      readonly atMs: number;
    }
  /** A response has ended; `random`, in [0, 1), is the jitter of a backoff. */
  | {
      readonly type: "ended";
      readonly query: QueryId;
      readonly report: ResponseReport;
      readonly atMs: number;
      readonly random: number;
    }
  /** Files that no base needs any more are removed. */
  | { readonly type: "removed"; readonly paths: ReadonlySet<string> }
  /** A response has ended because the disk was full. */
  | { readonly type: "disk-full"; readonly query: QueryId; readonly message: string };
