/** The state of a run, and how events change it. An event that cannot happen in the present state is a bug, and throws. */

import type { HashHex, Partition, PeerIndex } from "../protocol/brands.ts";
import type { Shard } from "../protocol/shard.ts";
import { ByteBudget } from "./peers/byte-budget.ts";
import type { ExclusionReason, PeerPool } from "./peers/peer-pool.ts";
import type { FailedResponse } from "./peers/recovery.ts";
import { Throughput } from "./peers/throughput.ts";
import { HedgeHistory } from "./queries/hedge-history.ts";
import { type Base, PartitionBases } from "./queries/partition-bases.ts";
import { PartitionTasks, type QueryId } from "./queries/partition-tasks.ts";
import { type Cancellation, isUseful, type Query, requestOf } from "./queries/query.ts";
import { QueryPlanner } from "./queries/query-planner.ts";
import { QueryTable } from "./queries/query-table.ts";
import { RunTail } from "./queries/run-tail.ts";
import { breakOffDeltas, excludeFor, failPeer, filledBy, updateBases } from "./response-end.ts";
import type { Decision, SchedulerEvent } from "./scheduler-actions.ts";
import type { PlannedQuery } from "./strategy/algorithm-1.ts";
import type { OrderRule } from "./strategy/order-rule.ts";

/** What a run fetches, and how. */
export interface SchedulerTask {
  readonly shard: Shard;
  /** The snapshot's time in milliseconds. */
  readonly timestamp: number;
  readonly missing: Iterable<Partition>;
  readonly agreedHashes: ReadonlyMap<Partition, HashHex>;
  /** The hash of a partition without accounts. */
  readonly emptyHash: HashHex;
  readonly rule: OrderRule;
  /** How many queries run at once, hedges not included. */
  readonly concurrency: number;
  /** Whether an older snapshot may replace this one: then exports are not waited for until a peer has given something. */
  readonly hasOlder: boolean;
  /** What the run already has of missing partitions: for each of them, what is used first is first. */
  readonly bases?: ReadonlyMap<Partition, readonly Base[]>;
}

export class RunState {
  readonly task: SchedulerTask;
  readonly pool: PeerPool;
  readonly tasks: PartitionTasks;
  readonly queries = new QueryTable();
  readonly throughput = new Throughput();
  readonly planner: QueryPlanner;
  readonly budget: ByteBudget;
  readonly bases: PartitionBases;
  readonly history = new HedgeHistory();
  readonly #replaced = new Set<QueryId>();
  #decidedMs = 0;
  #isLastShare = false;
  #tail: RunTail | undefined;

  constructor(task: SchedulerTask, pool: PeerPool) {
    this.task = task;
    this.pool = pool;
    this.tasks = new PartitionTasks(task.missing);
    this.bases = new PartitionBases(task.bases);
    this.budget = new ByteBudget(pool, () => this.bases.heldBytes);
    const { shard, rule } = task;
    const isEmpty = (partition: Partition) => this.isEmpty(partition);
    this.planner = new QueryPlanner({ shard, pool, throughput: this.throughput, rule, isEmpty });
  }

  /** A query to cancel, because others have given what it was to give. */
  get replaced(): QueryId | undefined {
    const [replaced] = this.#replaced;
    return replaced;
  }

  /** The time of the last decision. */
  get decidedMs(): number {
    return this.#decidedMs;
  }

  /** Whether the disk was full: then one response at a time is in flight. */
  get isLastShare(): boolean {
    return this.#isLastShare;
  }

  /** The end of the run; `undefined` until every partition is committed. */
  get tail(): RunTail | undefined {
    return this.#tail;
  }

  /** The files that no base needs any more, and no request in flight. */
  get unusedFiles(): readonly string[] {
    const { unused } = this.bases;
    if (unused.size === 0) return [];
    const needed = new Set<string>();
    for (const query of this.queries.all())
      for (const { files } of requestOf(query)?.bases.values() ?? [])
        for (const { path } of files) needed.add(path);
    return [...unused].filter((path) => !needed.has(path));
  }

  /** Returns the agreed hash of a partition that a query may give; `undefined` where its content is of no use. */
  expected(query: QueryId, partition: Partition): HashHex | undefined {
    const { peer } = this.queries.get(query);
    if (!this.tasks.isWanted(partition) || !this.pool.mayGive(peer, partition)) return undefined;
    const queries = this.tasks.queriesFor(partition);
    return queries.size === 0 || queries.has(query) ? this.task.agreedHashes.get(partition) : undefined;
  }

  /** Returns whether a partition is agreed to have no accounts. */
  isEmpty(partition: Partition): boolean {
    return this.task.agreedHashes.get(partition) === this.task.emptyHash;
  }

  /** Returns whether any of the partitions would have one source more without the exclusions for a reason. */
  isLost(partitions: ReadonlySet<Partition>, reason: ExclusionReason): boolean {
    return [...partitions].some((partition) => this.pool.isSourceLost(partition, reason));
  }

  /**
   * Changes the state by an event.
   *
   * @throws Error where the event cannot happen in the present state
   */
  apply(event: SchedulerEvent): void {
    switch (event.type) {
      case "decided":
        this.#decidedMs = event.atMs;
        this.#decide(event.decision, event.atMs);
        break;
      case "received":
        requestOf(this.queries.get(event.query))?.progress.received(event.bytes, event.atMs);
        break;
      case "waiting":
        requestOf(this.queries.get(event.query))?.progress.waiting(event.atMs);
        break;
      case "begun":
        this.#begin(this.queries.get(event.query), event.partition);
        break;
      case "free-space":
        this.budget.freeBytes(event.bytes, event.atMs);
        break;
      case "held":
        this.budget.hold({ ...event, peer: this.queries.get(event.query).peer });
        break;
      case "settled":
        this.tasks.settle(event.partition, event.query);
        break;
      case "unsettled":
        this.tasks.unsettle(event.partition);
        break;
      case "committed":
        this.#commit(event.partition, event.bytes, event.atMs);
        break;
      case "ended":
        this.#endResponse(event);
        break;
      case "removed":
        this.bases.removed(event.paths);
        break;
      case "disk-full":
        this.#endFull(this.queries.get(event.query), event.message);
        break;
      default:
        event satisfies never;
    }
  }

  #decide(decision: Decision, atMs: number): void {
    switch (decision.type) {
      case "start":
        for (const id of decision.yielding) {
          this.history.yieldPlace(this.tasks.givenBy(id));
          this.#cancel(id, "hedged");
        }
        if (!decision.isHedge) this.planner.started(decision.rest);
        this.#start(decision.query, decision.isHedge, atMs);
        break;
      case "request":
        this.queries.request(decision, atMs);
        break;
      case "cancel":
        this.#cancel(decision.query, decision.reason);
        break;
      case "end":
        this.pool.end(this.queries.get(decision.query).peer);
        this.#release(decision.query, atMs);
        break;
      case "back-off":
        this.history.backOff(decision.partitions, decision.isBounded, atMs);
        // A fast peer that has outgrown the budget is better than slow ones alone.
        if (this.isLost(decision.partitions, "outgrown")) this.#growBudget(atMs);
        break;
      case "grow-budget":
        this.#growBudget(atMs);
        break;
      case "use-last-share":
        for (const id of decision.yielding) this.#cancel(id, "hedged");
        this.history.forgetRequests();
        this.#isLastShare = true;
        this.budget.useLastShare();
        // Beginnings take space, and so does what completes a base: a partition alone takes the least.
        this.bases.dropAll();
        this.pool.lift("no-space");
        break;
      default:
        decision satisfies never;
    }
  }

  /** Makes peers sources again; they may be faster than those that the backoff waits for. */
  #growBudget(atMs: number): void {
    this.budget.grow();
    this.history.resetBackoff(atMs);
  }

  #start(planned: PlannedQuery<PeerIndex>, isHedge: boolean, atMs: number): void {
    this.history.begin(atMs);
    this.pool.begin(planned.nodeIndex);
    const query = this.queries.start(planned, isHedge, atMs);
    for (const partition of planned.partitions) this.#assign(partition, query);
  }

  #assign(partition: Partition, { id, peer }: Query): void {
    this.tasks.assign(partition, id);
    this.history.note(peer, partition);
  }

  #cancel(id: QueryId, reason: Cancellation): void {
    this.#replaced.delete(id);
    this.queries.cancel(id, reason);
  }

  /** A response gives a partition that it was requested for, or one that no query gives. */
  #begin(query: Query, partition: Partition): void {
    this.queries.begin(query.id, partition);
    const queries = this.tasks.queriesFor(partition);
    if (queries.has(query.id)) return;
    if (queries.size > 0) throw new Error(`partition ${partition} is given by another query`);
    this.#assign(partition, query);
  }

  #commit(partition: Partition, bytes: number, atMs: number): void {
    const task = this.tasks.task(partition);
    if (task?.state !== "committing") throw new Error(`partition ${partition} is not being committed`);
    const by = this.queries.get(task.by);
    this.tasks.commit(partition);
    for (const id of task.queries) {
      const other = this.queries.get(id);
      if (id !== by.id && other.state.kind !== "cancelled" && !isUseful(other, this.tasks.givenBy(id)))
        this.#replaced.add(id);
    }
    this.bases.commit(partition);
    this.budget.confirm(bytes);
    this.queries.commit(by.id, partition);
    this.pool.succeed(by.peer);
    if (this.tasks.pending.size === 0) this.#tail = new RunTail(this.queries.running(), atMs);
  }

  #endResponse({ query: id, report, atMs, random }: Extract<SchedulerEvent, { type: "ended" }>): void {
    const query = this.queries.get(id);
    const { peer, state } = query;
    const request = requestOf(query);
    if (request === undefined) throw new Error(`query ${id} has no response that could end`);
    this.budget.release(id);
    excludeFor(this, peer, report);
    updateBases(this, peer, report, request.bases);
    const { end } = report;
    const isOurs = state.kind === "cancelled" && end.kind === "failed" && end.error.kind === "aborted";
    // Of a hedged response, only the time until its cancellation is known: the peer is slower than that.
    if (end.kind === "complete" || (isOurs && state.reason === "hedged"))
      this.throughput.note(peer, request.progress.at(atMs));
    if (end.kind === "complete" || isOurs) {
      this.queries.endRequest(id);
      return;
    }
    breakOffDeltas(this.bases, request, end.error);
    const failed: FailedResponse = {
      error: end.error,
      requested: request.requested,
      lastPartition: report.lastPartition,
      isOutgrown: report.outgrown.length > 0,
      failures: this.pool.failures(peer) + 1,
    };
    failPeer(this, peer, failed, { atMs, random });
    this.#release(id, atMs);
  }

  /** A full disk is not a failure of the peer: other peers may send less. */
  #endFull(query: Query, message: string): void {
    const request = requestOf(query);
    if (request === undefined) throw new Error(`query ${query.id} has no response that could fill the disk`);
    this.budget.release(query.id);
    // The same request must not be repeated at once, whatever filled the disk.
    for (const partition of filledBy(request, this.#isLastShare))
      this.pool.exclude(query.peer, partition, { reason: "no-space", detail: message });
    this.queries.endRequest(query.id);
  }

  #release(id: QueryId, atMs: number): void {
    this.tasks.release(id);
    this.#replaced.delete(id);
    this.queries.remove(id);
    this.#tail?.ended(id, atMs);
  }
}
