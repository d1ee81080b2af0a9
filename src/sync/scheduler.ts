/**
 * The scheduler: decides which partition is requested of which peer, and when. It is a deterministic core without
 * effects: `next` reads the state and returns what to do, `apply` changes the state by what has happened. Time,
 * randomness, bytes and free space come in with the events.
 *
 *     missing partition ──start──► query ──request──► response ──committed──► done
 *                          ▲                              │
 *                          └───── failed, mismatched ─────┘    straggling: a hedge, to another peer
 */

import type { PartitionBase } from "../artifact/response-report.ts";
import type { BaseOrigin } from "../events/sync-events.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { storedCount } from "../protocol/shard.ts";
import { nextAction } from "./next-action.ts";
import type { PeerPool } from "./peers/peer-pool.ts";
import { baseFor } from "./queries/partition-bases.ts";
import type { QueryId } from "./queries/partition-tasks.ts";
import { type Cancellation, requestOf } from "./queries/query.ts";
import { RunState, type SchedulerTask } from "./run-state.ts";
import type { Action, SchedulerEvent } from "./scheduler-actions.ts";
import { describeState, type SchedulerState } from "./scheduler-state.ts";

export class Scheduler {
  readonly #state: RunState;

  constructor(task: SchedulerTask, pool: PeerPool) {
    this.#state = new RunState(task, pool);
  }

  /** Returns what to do now. It changes nothing: the same state and time give the same action. */
  next(nowMs: number): Action {
    return nextAction(this.#state, nowMs);
  }

  /**
   * Takes note of an event.
   *
   * @throws Error where the event cannot happen in the present state: a bug
   */
  apply(event: SchedulerEvent): void {
    this.#state.apply(event);
  }

  /** Returns the agreed hash of a partition that a query may give; `undefined` where its content is of no use. */
  expected(query: QueryId, partition: Partition): HashHex | undefined {
    return this.#state.expected(query, partition);
  }

  /** Returns whether the peer of a query should hold accounts of a partition. */
  stores(query: QueryId, partition: Partition): boolean {
    return this.#state.pool.stores(this.#state.queries.get(query).peer, partition);
  }

  /** Returns whether a query's response is within the byte budget, and responses together within the disk's share. */
  budgetOf(query: QueryId): "within" | "outgrown" | { readonly held: number; readonly free: number } {
    return this.#state.budget.isOutgrown(query) ? "outgrown" : (this.#state.budget.excess ?? "within");
  }

  /** Returns what a query's response is to complete; `undefined` for a partition that it must give whole. */
  base(query: QueryId, partition: Partition): PartitionBase | undefined {
    const running = this.#state.queries.get(query);
    const base = requestOf(running)?.bases.get(partition);
    return base === undefined ? undefined : baseFor(base, running.peer);
  }

  /** Returns where the base is from that a query's response is to complete. */
  baseOrigin(query: QueryId, partition: Partition): BaseOrigin | undefined {
    const base = requestOf(this.#state.queries.get(query))?.bases.get(partition);
    if (base === undefined) return undefined;
    return base.kind === "older" ? { kind: "seed", seed: base.seed } : { kind: "beginning" };
  }

  /** Returns the files that no base and no request in flight needs any more. */
  get unusedFiles(): readonly string[] {
    return this.#state.unusedFiles;
  }

  needsFreeSpace(nowMs: number): boolean {
    return this.#state.budget.needsFreeBytes(nowMs);
  }

  /** How many bytes a query's response may have in all, kept or not. */
  get responseBytesMax(): number {
    return this.#state.budget.responseBytesMax(storedCount(this.#state.task.shard) + 1);
  }

  /** Returns the peers that sent more for a partition than it has. */
  oversized(partition: Partition, confirmedBytes: number): { node: string; bytes: number }[] {
    const responses = this.#state.budget.oversized(partition, confirmedBytes);
    return responses.map(({ peer, bytes }) => ({ node: this.#state.pool.id(peer), bytes }));
  }

  /** Returns why a query was cancelled; `undefined` where it was not. */
  cancellation(query: QueryId): Cancellation | undefined {
    const { state } = this.#state.queries.get(query);
    return state.kind === "cancelled" ? state.reason : undefined;
  }

  /** Partitions that are not committed. */
  get pending(): ReadonlySet<Partition> {
    return this.#state.tasks.pending;
  }

  describe(nowMs: number): SchedulerState {
    return describeState(this.#state, nowMs);
  }
}
