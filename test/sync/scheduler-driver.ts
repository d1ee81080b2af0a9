import type { ResponseEnd, ResponseReport } from "../../src/artifact/response-report.ts";
import type { MismatchedPartition } from "../../src/events/sync-events.ts";
import { asNodeId, asPartition, type MirrorUrl } from "../../src/protocol/brands.ts";
import { queryOrder } from "../../src/protocol/query-order.ts";
import { makeShard, type Shard } from "../../src/protocol/shard.ts";
import { PeerPool } from "../../src/sync/peers/peer-pool.ts";
import type { SchedulerTask } from "../../src/sync/run-state.ts";
import { Scheduler } from "../../src/sync/scheduler.ts";
import type { Action, Decision } from "../../src/sync/scheduler-actions.ts";
import { asHashes, asPartitions, hashNamed } from "../helpers/brands.ts";

/** Each of three peers stores every partition; Algorithm 1 queries them in the order 0, 2, 1. */
export const allStoreAll: Shard = makeShard({ numNodes: 3, nodesPerConsensusGroup: 3 });

/** Each of four peers stores its own partition; Algorithm 1 queries them in the order 0, 3, 1, 2. */
export const eachStoresOne: Shard = makeShard({ numNodes: 4, nodesPerConsensusGroup: 1 });

export function peerPool(
  shard: Shard,
  ranks?: ReadonlyMap<string, number>,
  mirrors?: readonly MirrorUrl[],
): PeerPool {
  const nodes = Array.from({ length: shard.numNodes }, (_, index) => ({
    id: asNodeId(index < 10 ? String(index).repeat(64) : String(index).padStart(64, "0")),
    publicKey: undefined,
    url: `http://127.0.0.1:${index + 1}`,
  }));
  return new PeerPool(nodes, shard, queryOrder(shard.numNodes), ranks, mirrors);
}

export function reportOf(end: ResponseEnd, more: Partial<ResponseReport> = {}): ResponseReport {
  return {
    end,
    accounts: 1,
    lastPartition: undefined,
    foreignAccounts: 0,
    duplicateAccounts: 0,
    mismatched: [],
    superfluous: [],
    outgrown: [],
    beginnings: [],
    unfitBases: [],
    ...more,
  };
}

export function mismatchOf(partition: number): MismatchedPartition {
  return {
    partition: asPartition(partition),
    expected: hashNamed(`hash ${partition}`),
    got: hashNamed("other"),
    accounts: 1,
    conflict: undefined,
  };
}

/** Drives a scheduler by hand: performs its decisions at once, and records them. */
export class SchedulerDriver {
  readonly scheduler: Scheduler;
  readonly pool: PeerPool;
  nowMs = 0;
  #nextQuery = 0;
  /** Peer → its newest query. */
  readonly #queries = new Map<number, number>();

  constructor(shard: Shard, task: Partial<SchedulerTask> = {}) {
    this.pool = peerPool(shard);
    const partitions = Array.from({ length: shard.numNodes }, (_, partition) => partition);
    const hashes = partitions.map((partition) => [partition, hashNamed(`hash ${partition}`)] as const);
    this.scheduler = new Scheduler(
      {
        shard,
        timestamp: 1,
        missing: asPartitions(partitions),
        agreedHashes: asHashes(new Map(hashes)),
        emptyHash: hashNamed("empty"),
        rule: "bisect",
        concurrency: 1,
        hasOlder: false,
        ...task,
      },
      this.pool,
    );
  }

  /** Performs decisions until the scheduler waits or the run is over; returns them, in words. */
  act(): string[] {
    for (const performed: string[] = []; ; ) {
      const action = this.scheduler.next(this.nowMs);
      performed.push(this.#describe(action));
      if (action.type === "wait" || action.type === "done" || action.type === "give-up") return performed;
      this.#apply(action);
    }
  }

  /** Lets time pass until the scheduler decides something. */
  actLater(): string[] {
    for (let checks = 0; checks < 10_000; checks++) {
      const performed = this.act();
      if (performed.length > 1 || !performed[0]?.startsWith("wait until")) return performed;
      const action = this.scheduler.next(this.nowMs);
      if (action.type === "wait") this.nowMs = action.untilMs as number;
    }
    throw new Error("the scheduler decides nothing");
  }

  query(peer: number): number {
    const query = this.#queries.get(peer);
    if (query === undefined) throw new Error(`peer ${peer} has no query`);
    return query;
  }

  receives(peer: number, bytes: number): void {
    const query = this.query(peer);
    this.scheduler.apply({ type: "received", query, bytes, atMs: this.nowMs });
    this.scheduler.apply({ type: "waiting", query, atMs: this.nowMs });
  }

  begins(peer: number, partition: number): void {
    this.scheduler.apply({ type: "begun", query: this.query(peer), partition: asPartition(partition) });
  }

  /** The response of a peer gives partitions with the agreed hash. */
  gives(peer: number, ...partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.begins(peer, partition);
      this.scheduler.apply({ type: "settled", query: this.query(peer), partition: asPartition(partition) });
      this.scheduler.apply({
        type: "committed",
        partition: asPartition(partition),
        bytes: 10,
        atMs: this.nowMs,
      });
    }
  }

  /** Returns whether the response of a peer may hold so many bytes. */
  holds(peer: number, partition: number, bytes: number) {
    this.scheduler.apply({ type: "held", query: this.query(peer), partition: asPartition(partition), bytes });
    return this.scheduler.budgetOf(this.query(peer));
  }

  ends(peer: number, report: ResponseReport = reportOf({ kind: "complete" })): void {
    const query = this.query(peer);
    this.scheduler.apply({ type: "ended", query, report, atMs: this.nowMs, random: 1 });
  }

  fillsDisk(peer: number): void {
    this.scheduler.apply({ type: "disk-full", query: this.query(peer), message: "no space" });
  }

  #apply(decision: Decision): void {
    if (decision.type === "start") this.#queries.set(decision.query.nodeIndex, this.#nextQuery++);
    this.scheduler.apply({ type: "decided", decision, atMs: this.nowMs });
  }

  #describe(action: Action): string {
    switch (action.type) {
      case "start": {
        const what = `${action.isHedge ? "hedge" : "query"} ${action.query.nodeIndex}`;
        const yielding = action.yielding.map((query) => this.#peerOf(query));
        return yielding.length === 0 ? what : `${what} instead of ${yielding}`;
      }
      case "request":
        return `request ${action.partitions} of ${action.peer}`;
      case "cancel":
        return `cancel ${this.#peerOf(action.query)}: ${action.reason}`;
      case "end":
        return `end ${this.#peerOf(action.query)}`;
      case "back-off":
        return `back off for ${[...action.partitions]}`;
      case "wait":
        return action.untilMs === undefined ? "wait" : `wait until ${Math.round(action.untilMs)}`;
      default:
        return action.type;
    }
  }

  #peerOf(query: number): number | undefined {
    return [...this.#queries].find(([, id]) => id === query)?.[0];
  }
}
