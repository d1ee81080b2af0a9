/**
 * The scheduler: which partition is requested of which peer, and when. It is a deterministic core without effects:
 * `next` reads the state and says what to do, `apply` changes the state by what has happened. Time, randomness, bytes
 * and free space come in with the events.
 *
 *     missing partition ──start──► query ──request──► response ──committed──► done
 *                          ▲                              │
 *                          └───── failed, mismatched ─────┘    straggling: a hedge, to another peer
 */

import type { ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { decideRetry, type RetryDecision } from "../errors/retry.ts";
import {
  hedgeBackoffMax,
  responseTailMs,
  stragglerCheckMaxMs,
  stragglerCheckMs,
  stragglerCheckShare,
  stragglerUnmeasuredMs,
} from "../limits/sync.ts";
import { type Shard, storedCount, stores } from "../protocol/shard.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";
import { ByteBudget } from "./byte-budget.ts";
import { costOf } from "./classify-response.ts";
import { stragglers, stragglingPartitions, yieldsTo } from "./hedging.ts";
import { narrowedRequests } from "./narrowed-requests.ts";
import { PartitionTasks, type QueryId } from "./partition-tasks.ts";
import { type ExclusionReason, type PeerPool, TOO_EARLY } from "./peer-pool.ts";
import { type Cancellation, isUseful, type Query } from "./query.ts";
import { QueryPlanner } from "./query-planner.ts";
import { ResponseProgress } from "./response-progress.ts";
import type { PlannedQuery } from "./strategy/algorithm-1.ts";
import type { OrderRule } from "./strategy/order-rule.ts";
import { Throughput } from "./throughput.ts";

/** What a run fetches, and how. */
export interface SchedulerTask {
  readonly shard: Shard;
  /** Of the snapshot, milliseconds. */
  readonly timestamp: number;
  readonly missing: Iterable<number>;
  readonly agreedHashes: ReadonlyMap<number, string>;
  /** The hash of a partition without accounts. */
  readonly emptyHash: string;
  readonly rule: OrderRule;
  /** Queries under way at once, hedges aside. */
  readonly concurrency: number;
  /** Whether an older snapshot may be taken instead: until a peer has given something, exports are not waited for. */
  readonly hasOlder: boolean;
}

/** What is to be done next. Every action but the last three is applied as an event once it has begun. */
export type Action =
  /** Begin a query; a hedge may cancel others. */
  | {
      readonly type: "start";
      readonly query: PlannedQuery;
      readonly isHedge: boolean;
      readonly yielding: readonly QueryId[];
    }
  /** Send the next request of a query. */
  | {
      readonly type: "request";
      readonly query: QueryId;
      readonly peer: number;
      readonly body: SnapshotReq;
      readonly partitions: readonly number[];
    }
  | { readonly type: "cancel"; readonly query: QueryId; readonly reason: Cancellation }
  /** The query has nothing left to request. */
  | { readonly type: "end"; readonly query: QueryId }
  /** Every peer was asked for these: all may be asked again, and have longer. */
  | { readonly type: "back-off"; readonly partitions: ReadonlySet<number> }
  /** Nothing else is left to try than peers that sent more than the budget allows. */
  | { readonly type: "grow-budget" }
  /** Nothing else is left to try than what the disk had no space for: once more, one response at a time. */
  | { readonly type: "use-last-share" }
  /** Until something happens, or that time. */
  | { readonly type: "wait"; readonly untilMs: number | undefined }
  | { readonly type: "done" }
  /** No peer is left that could give what is missing. */
  | { readonly type: "give-up" };

/** An action that changes the state. */
export type Decision = Exclude<Action, { readonly type: "wait" | "done" | "give-up" }>;

/** What has happened. Times are milliseconds of the run's clock. */
export type SchedulerEvent =
  | { readonly type: "decided"; readonly decision: Decision; readonly atMs: number }
  /** A chunk of a response has come. */
  | { readonly type: "received"; readonly query: QueryId; readonly bytes: number; readonly atMs: number }
  /** The chunk is processed, and the next is waited for. */
  | { readonly type: "waiting"; readonly query: QueryId; readonly atMs: number }
  /** A response has accounts of a partition. */
  | { readonly type: "begun"; readonly query: QueryId; readonly partition: number }
  | { readonly type: "free-space"; readonly bytes: number; readonly atMs: number }
  /** A response holds so many bytes that no hash confirms; the partition is the one that grows. */
  | { readonly type: "held"; readonly query: QueryId; readonly partition: number; readonly bytes: number }
  /** A response has a partition with the agreed hash. */
  | { readonly type: "settled"; readonly query: QueryId; readonly partition: number }
  | { readonly type: "unsettled"; readonly partition: number }
  /** The partition is in its place. */
  | { readonly type: "committed"; readonly partition: number; readonly bytes: number; readonly atMs: number }
  /** @param random in [0, 1): the jitter of a backoff */
  | {
      readonly type: "ended";
      readonly query: QueryId;
      readonly report: ResponseReport;
      readonly atMs: number;
      readonly random: number;
    }
  /** The disk had no space left for a response. */
  | { readonly type: "disk-full"; readonly query: QueryId; readonly message: string };

/** What the state of a run is, for somebody who asks why it hangs. */
export interface SchedulerState {
  readonly missing: readonly number[];
  readonly committing: readonly number[];
  readonly queries: readonly {
    readonly node: string;
    readonly state: Query["state"]["kind"];
    readonly isHedge: boolean;
    readonly partitions: readonly number[];
    readonly sinceMs: number;
    readonly bytes: number;
  }[];
  readonly peers: Readonly<Record<"idle" | "busy" | "backing-off" | "given-up", number>>;
  readonly nextRetryInMs: number | undefined;
}

/** A query as it changes. */
type MutableQuery = { -readonly [Key in keyof Query]: Query[Key] } & { readonly begun: Set<number> };

/** The end of a run, once everything is committed: responses under way may come to their ends. */
interface Tail {
  /** Until the first of these ends. */
  readonly givers: ReadonlySet<QueryId>;
  /** After the first has ended. */
  readonly untilMs: number | undefined;
}

const nothing: ReadonlySet<never> = new Set<never>();

export class Scheduler {
  readonly #task: SchedulerTask;
  readonly #pool: PeerPool;
  readonly #tasks: PartitionTasks;
  readonly #throughput = new Throughput();
  readonly #planner: QueryPlanner;
  readonly #budget: ByteBudget;
  readonly #queries = new Map<QueryId, MutableQuery>();
  /** Peer → what it was ever requested for, and may not be hedged with. */
  readonly #requested = new Map<number, Set<number>>();
  /** Queries that may end, since others have given what they were to give. */
  readonly #replaced = new Set<QueryId>();
  #nextId: QueryId = 0;
  /** When the last decision was made. */
  #decidedMs = 0;
  /** How many times longer than usual a response may take before it straggles, and since when. */
  #backoff = { factor: 1, sinceMs: 0 };
  /** Once the disk was full, one response at a time is all there is. */
  #isLastShare = false;
  #tail: Tail | undefined;

  constructor(task: SchedulerTask, pool: PeerPool) {
    this.#task = task;
    this.#pool = pool;
    this.#tasks = new PartitionTasks(task.missing);
    this.#budget = new ByteBudget(pool);
    this.#planner = new QueryPlanner({
      shard: task.shard,
      pool,
      throughput: this.#throughput,
      rule: task.rule,
      isEmpty: (partition) => this.#isEmpty(partition),
    });
  }

  /** What is to be done now. It changes nothing: the same state and time give the same action. */
  next(nowMs: number): Action {
    const [replaced] = this.#replaced;
    if (replaced !== undefined) return { type: "cancel", query: replaced, reason: "hedged" };
    if (this.#tasks.pending.size === 0) return this.#nextOfTail(nowMs);
    for (const query of this.#queries.values()) {
      const action = this.#nextRequest(query);
      if (action !== undefined) return action;
    }
    const start = this.#nextStart(nowMs) ?? this.#nextHedge(nowMs);
    if (start !== undefined) return start;
    const retryMs = this.#hasPlace() ? this.#pool.nextAvailableMs(this.#tasks.missing) : undefined;
    if (this.#queries.size === 0 && retryMs === undefined) return this.#nextOfLastResort();
    if (this.#queries.size === 0) return { type: "wait", untilMs: retryMs };
    const checkMs = nowMs + this.#checkIntervalMs(nowMs);
    return { type: "wait", untilMs: retryMs === undefined ? checkMs : Math.min(retryMs, checkMs) };
  }

  /** @throws Error where the event cannot happen in the present state: a bug */
  apply(event: SchedulerEvent): void {
    switch (event.type) {
      case "decided":
        this.#decide(event.decision, event.atMs);
        break;
      case "received":
        this.#progressOf(event.query)?.received(event.bytes, event.atMs);
        break;
      case "waiting":
        this.#progressOf(event.query)?.waiting(event.atMs);
        break;
      case "begun":
        this.#begin(this.#query(event.query), event.partition);
        break;
      case "free-space":
        this.#budget.freeBytes(event.bytes, event.atMs);
        break;
      case "held":
        this.#budget.hold({ ...event, peer: this.#query(event.query).peer });
        break;
      case "settled":
        this.#tasks.settle(event.partition, event.query);
        break;
      case "unsettled":
        this.#tasks.unsettle(event.partition);
        break;
      case "committed":
        this.#commit(event.partition, event.bytes, event.atMs);
        break;
      case "ended":
        this.#endResponse(event);
        break;
      case "disk-full":
        this.#endFull(this.#query(event.query), event.message);
        break;
    }
  }

  /** The agreed hash of a partition that a query may give; `undefined` where its content is of no use. */
  expected(query: QueryId, partition: number): string | undefined {
    const { peer } = this.#query(query);
    if (!this.#tasks.isWanted(partition) || !this.#pool.mayGive(peer, partition)) return undefined;
    const queries = this.#tasks.queriesFor(partition);
    return queries.size === 0 || queries.has(query) ? this.#task.agreedHashes.get(partition) : undefined;
  }

  /** Whether the peer of a query should hold accounts of a partition. */
  stores(query: QueryId, partition: number): boolean {
    return stores(this.#task.shard, this.#query(query).peer, partition);
  }

  /** What the byte budget says of a query's response. */
  budgetOf(query: QueryId): "within" | "outgrown" | { readonly held: number; readonly free: number } {
    return this.#budget.isOutgrown(query) ? "outgrown" : (this.#budget.excess ?? "within");
  }

  needsFreeSpace(nowMs: number): boolean {
    return this.#budget.needsFreeBytes(nowMs);
  }

  /** How many bytes a query's response may have in all, kept or not. */
  get responseBytesMax(): number {
    return this.#budget.responseBytesMax(storedCount(this.#task.shard) + 1);
  }

  /** The peers that sent more for a partition than it turned out to have. */
  oversized(partition: number, confirmedBytes: number): { node: string; bytes: number }[] {
    const responses = this.#budget.oversized(partition, confirmedBytes);
    return responses.map(({ peer, bytes }) => ({ node: this.#pool.node(peer).id, bytes }));
  }

  /** Why a query was cancelled; `undefined` where it was not. */
  cancellation(query: QueryId): Cancellation | undefined {
    const { state } = this.#query(query);
    return state.kind === "cancelled" ? state.reason : undefined;
  }

  /** Partitions that are not committed. */
  get pending(): ReadonlySet<number> {
    return this.#tasks.pending;
  }

  describe(nowMs: number): SchedulerState {
    const pending = [...this.#tasks.pending].sort((a, b) => a - b);
    const peers = { idle: 0, busy: 0, "backing-off": 0, "given-up": 0 };
    for (let peer = 0; peer < this.#task.shard.numNodes; peer++) peers[this.#pool.state(peer).kind]++;
    const retryMs = this.#pool.nextAvailableMs(this.#tasks.pending);
    return {
      missing: pending.filter((partition) => this.#tasks.task(partition)?.state === "missing"),
      committing: pending.filter((partition) => this.#tasks.task(partition)?.state === "committing"),
      queries: [...this.#queries.values()].map((query) => ({
        node: this.#pool.node(query.peer).id,
        state: query.state.kind,
        isHedge: query.isHedge,
        partitions: this.#tasks.givenBy(query.id),
        sinceMs: Math.round(nowMs - query.startedMs),
        bytes: query.state.kind === "requesting" ? query.state.progress.at(nowMs).bytes : 0,
      })),
      peers,
      nextRetryInMs: retryMs === undefined ? undefined : Math.max(0, Math.round(retryMs - nowMs)),
    };
  }

  #isEmpty(partition: number): boolean {
    return this.#task.agreedHashes.get(partition) === this.#task.emptyHash;
  }

  #hasPlace(): boolean {
    return this.#queries.size < (this.#isLastShare ? 1 : this.#task.concurrency);
  }

  /** Of a query between two requests. */
  #nextRequest(query: Query): Action | undefined {
    if (query.state.kind === "requesting") return undefined;
    if (query.state.kind === "cancelled")
      return query.state.progress === undefined ? { type: "end", query: query.id } : undefined;
    const { shard, timestamp } = this.#task;
    const { id, peer } = query;
    const open = query.partitions.filter((partition) => this.expected(id, partition) !== undefined);
    const isEmpty = (partition: number) => this.#isEmpty(partition);
    const [next] = narrowedRequests(shard, peer, open, timestamp, isEmpty);
    if (next === undefined) return { type: "end", query: id };
    return { type: "request", query: id, peer, body: next.request, partitions: next.partitions };
  }

  #nextStart(nowMs: number): Action | undefined {
    const query = this.#hasPlace() ? this.#planner.next(this.#tasks.missing, nowMs) : undefined;
    return query === undefined ? undefined : { type: "start", query, isHedge: false, yielding: [] };
  }

  /** What stragglers give is requested elsewhere as well, while they go on. */
  #nextHedge(nowMs: number): Action | undefined {
    const running = this.#running();
    const slow = stragglers(running, this.#throughput, this.#backoff.factor, nowMs);
    const straggling = stragglingPartitions(slow, this.#tasks);
    if (straggling.size === 0) return undefined;
    const requestedOf = (peer: number) => this.#requested.get(peer) ?? nothing;
    const query = this.#planner.hedge(straggling, requestedOf, nowMs);
    if (query === undefined) {
      const { factor, sinceMs } = this.#backoff;
      const isDue = nowMs - sinceMs >= factor * stragglerUnmeasuredMs;
      return isDue ? { type: "back-off", partitions: straggling } : undefined;
    }
    const { concurrency } = this.#task;
    const yielding = yieldsTo(query.partitions, { running, stragglers: slow, concurrency }, this.#tasks);
    return { type: "start", query, isHedge: true, yielding: yielding.map(({ id }) => id) };
  }

  #running(): MutableQuery[] {
    return [...this.#queries.values()].filter(({ state }) => state.kind !== "cancelled");
  }

  /** The longer nothing had to be decided, the more seldom stragglers are looked for. */
  #checkIntervalMs(nowMs: number): number {
    const quietMs = (nowMs - this.#decidedMs) * stragglerCheckShare;
    return Math.min(Math.max(stragglerCheckMs, quietMs), stragglerCheckMaxMs);
  }

  /** No peer can be requested for anything, now or later. */
  #nextOfLastResort(): Action {
    const isLost = (reason: ExclusionReason) =>
      [...this.#tasks.pending].some((partition) => this.#pool.isSourceLost(partition, reason));
    if (this.#budget.mayGrow && isLost("outgrown")) return { type: "grow-budget" };
    if (!this.#isLastShare && isLost("no-space")) return { type: "use-last-share" };
    return { type: "give-up" };
  }

  /** Everything is committed: the first giver is waited for, the others have a moment. */
  #nextOfTail(nowMs: number): Action {
    if (this.#queries.size === 0) return { type: "done" };
    const untilMs = this.#tail?.untilMs;
    const isOver = this.#tail === undefined || (untilMs !== undefined && nowMs >= untilMs);
    for (const query of this.#queries.values()) {
      if (query.state.kind === "idle" || (query.state.kind === "cancelled" && !query.state.progress))
        return { type: "end", query: query.id };
      if (isOver && query.state.kind === "requesting")
        return { type: "cancel", query: query.id, reason: "not-needed" };
    }
    return { type: "wait", untilMs: isOver ? undefined : untilMs };
  }

  #decide(decision: Decision, atMs: number): void {
    this.#decidedMs = atMs;
    switch (decision.type) {
      case "start":
        for (const id of decision.yielding) this.#cancel(this.#query(id), "hedged");
        this.#start(decision.query, decision.isHedge, atMs);
        break;
      case "request":
        this.#request(this.#query(decision.query), decision.partitions, atMs);
        break;
      case "cancel":
        this.#cancel(this.#query(decision.query), decision.reason);
        break;
      case "end":
        this.#pool.end(this.#query(decision.query).peer);
        this.#release(this.#query(decision.query), atMs);
        break;
      case "back-off":
        this.#backoff = { factor: Math.min(hedgeBackoffMax, 2 * this.#backoff.factor), sinceMs: atMs };
        for (const requested of this.#requested.values())
          for (const partition of decision.partitions) requested.delete(partition);
        // A fast peer that has outgrown the budget is better than slow ones alone.
        if ([...decision.partitions].some((partition) => this.#pool.isSourceLost(partition, "outgrown")))
          this.#growBudget(atMs);
        break;
      case "grow-budget":
        this.#growBudget(atMs);
        break;
      case "use-last-share":
        this.#isLastShare = true;
        this.#budget.useLastShare();
        this.#pool.lift("no-space");
        break;
    }
  }

  /** Peers are sources again, and may be faster than those that were waited for. */
  #growBudget(atMs: number): void {
    this.#budget.grow();
    this.#backoff = { factor: 1, sinceMs: atMs };
  }

  #start(planned: PlannedQuery, isHedge: boolean, atMs: number): void {
    const { nodeIndex: peer, partitions } = planned;
    const id = this.#nextId++;
    this.#pool.begin(peer);
    this.#planner.started(planned);
    this.#queries.set(id, {
      id,
      peer,
      partitions,
      isHedge,
      startedMs: atMs,
      verified: 0,
      state: { kind: "idle" },
      begun: new Set(),
    });
    for (const partition of partitions) this.#assign(partition, id, peer);
  }

  #assign(partition: number, query: QueryId, peer: number): void {
    this.#tasks.assign(partition, query);
    const requested = this.#requested.get(peer) ?? new Set();
    this.#requested.set(peer, requested.add(partition));
  }

  #request(query: MutableQuery, partitions: readonly number[], atMs: number): void {
    if (query.state.kind !== "idle") throw new Error(`query ${query.id} cannot request: ${query.state.kind}`);
    query.begun.clear();
    const progress = new ResponseProgress(atMs);
    query.state = { kind: "requesting", requested: new Set(partitions), progress };
  }

  #cancel(query: MutableQuery, reason: Cancellation): void {
    this.#replaced.delete(query.id);
    if (query.state.kind === "cancelled") return;
    const progress = query.state.kind === "requesting" ? query.state.progress : undefined;
    query.state = { kind: "cancelled", reason, progress };
  }

  /** A response gives a partition that it was requested for, or one that no query gives. */
  #begin(query: MutableQuery, partition: number): void {
    query.begun.add(partition);
    const queries = this.#tasks.queriesFor(partition);
    if (queries.has(query.id)) return;
    if (queries.size > 0) throw new Error(`partition ${partition} is given by another query`);
    this.#assign(partition, query.id, query.peer);
  }

  #commit(partition: number, bytes: number, atMs: number): void {
    const task = this.#tasks.task(partition);
    if (task?.state !== "committing") throw new Error(`partition ${partition} is not being committed`);
    const by = this.#query(task.by);
    this.#tasks.commit(partition);
    for (const id of task.queries) {
      const other = this.#query(id);
      if (id !== task.by && other.state.kind !== "cancelled" && !isUseful(other, this.#tasks.givenBy(id)))
        this.#replaced.add(id);
    }
    this.#budget.confirm(bytes);
    by.verified++;
    by.begun.delete(partition);
    this.#pool.succeed(by.peer);
    if (this.#tasks.pending.size > 0) return;
    const givers = new Set(this.#running().map(({ id }) => id));
    this.#tail = { givers, untilMs: givers.size === 0 ? atMs + responseTailMs : undefined };
  }

  #endResponse({ query: id, report, atMs, random }: Extract<SchedulerEvent, { type: "ended" }>): void {
    const query = this.#query(id);
    const { peer, state } = query;
    const requested = state.kind === "requesting" ? state.requested : nothing;
    const progress = state.kind === "idle" ? undefined : state.progress;
    this.#budget.release(id);
    for (const { partition, expected, got } of report.mismatched) {
      const detail = `gave a partition with hash ${got}, expected ${expected}`;
      this.#pool.exclude(peer, partition, { reason: "wrong", detail });
    }
    for (const { partition, bytes } of report.outgrown) this.#budget.exclude(peer, partition, bytes);
    const { end } = report;
    const isOurs = state.kind === "cancelled" && end.kind === "failed" && isAborted(end.error);
    // Of a response that failed, only the time until we gave it up is known: the peer is slower than that.
    if (progress !== undefined && (end.kind === "complete" || (isOurs && state.reason === "hedged")))
      this.#throughput.note(peer, progress.at(atMs));
    if (end.kind === "complete" || isOurs) this.#becomeIdle(query);
    else {
      const decision = this.#retryDecision(query, report, requested, random);
      const status = end.error instanceof FetchError ? end.error.status : undefined;
      this.#pool.fail(peer, { message: end.error.message, status }, decision, atMs);
      this.#release(query, atMs);
    }
  }

  /** A full disk is nobody's failure: others may send less. */
  #endFull(query: MutableQuery, message: string): void {
    this.#budget.release(query.id);
    for (const partition of query.begun)
      this.#pool.exclude(query.peer, partition, { reason: "no-space", detail: message });
    this.#becomeIdle(query);
  }

  #becomeIdle(query: MutableQuery): void {
    query.state =
      query.state.kind === "cancelled" ? { ...query.state, progress: undefined } : { kind: "idle" };
  }

  #release(query: MutableQuery, atMs: number): void {
    this.#tasks.release(query.id);
    this.#replaced.delete(query.id);
    this.#queries.delete(query.id);
    const tail = this.#tail;
    if (tail?.untilMs === undefined && tail?.givers.has(query.id))
      this.#tail = { ...tail, untilMs: atMs + responseTailMs };
  }

  #retryDecision(
    { peer }: Query,
    report: ResponseReport,
    requested: ReadonlySet<number>,
    random: number,
  ): RetryDecision {
    if (report.end.kind === "complete") throw new Error("a complete response is not retried");
    const { error } = report.end;
    const { retry, excludes } = costOf(error);
    if (excludes === "outgrown" && report.outgrown.length === 0) {
      // A long response of which nothing was kept must not come again at once either.
      for (const partition of requested) this.#budget.exclude(peer, partition, 0);
    }
    if (excludes === "broken-partition") {
      const broken = brokenPartition(report.lastPartition, requested);
      if (broken === undefined) return { retry: false };
      if (this.#pool.mayGive(peer, broken))
        this.#pool.exclude(peer, broken, { reason: "broken", detail: error.message });
    }
    const failures = this.#pool.failures(peer) + 1;
    if (retry === "never") return { retry: false };
    if (!(error instanceof FetchError))
      return decideRetry(new FetchError("reset", error.message), failures, random);
    const waitsForExports = !this.#task.hasOlder || this.#pool.hasGiven;
    if (error.status === TOO_EARLY && !waitsForExports) return { retry: false };
    return decideRetry(error, failures, random);
  }

  #progressOf(id: QueryId): ResponseProgress | undefined {
    const { state } = this.#query(id);
    return state.kind === "idle" ? undefined : state.progress;
  }

  #query(id: QueryId): MutableQuery {
    const query = this.#queries.get(id);
    if (query === undefined) throw new Error(`no query ${id}`);
    return query;
  }
}

/** The partition in which a response broke; `undefined` where it cannot be told. */
function brokenPartition(last: number | undefined, requested: ReadonlySet<number>): number | undefined {
  if (last !== undefined && requested.has(last)) return last;
  return requested.size === 1 ? [...requested][0] : undefined;
}

function isAborted(error: unknown): boolean {
  return error instanceof FetchError && error.kind === "aborted";
}
