/** What a run does next, as a pure function of its state and the time. */

import {
  hedgeBackoffMax,
  stragglerCheckMaxMs,
  stragglerCheckMs,
  stragglerCheckShare,
} from "../limits/sync.ts";
import { isMirrorIndex, type Partition } from "../protocol/brands.ts";
import { stragglers, stragglingPartitions, yieldsTo } from "./queries/hedging.ts";
import { mirrorRequest, narrowedRequests } from "./queries/narrowed-requests.ts";
import { isUseful, type Query, requestOf } from "./queries/query.ts";
import type { RunState } from "./run-state.ts";
import type { Action } from "./scheduler-actions.ts";

/** Returns the next action: the same state and time give the same action. */
export function nextAction(state: RunState, nowMs: number): Action {
  const { replaced, tasks, queries, tail } = state;
  if (replaced !== undefined) return { type: "cancel", query: replaced, reason: "hedged" };
  if (tasks.pending.size === 0)
    return queries.size === 0 || tail === undefined ? { type: "done" } : tail.next(queries.all(), nowMs);
  for (const query of queries.all()) {
    const action = nextOf(state, query);
    if (action !== undefined) return action;
  }
  return (
    nextStart(state, nowMs) ?? nextUseless(state, nowMs) ?? nextHedge(state, nowMs) ?? nextWait(state, nowMs)
  );
}

/** Returns the next request of a query, or its end; `undefined` while its response has not ended. */
function nextOf(run: RunState, query: Query): Action | undefined {
  const { id, peer, state } = query;
  if (requestOf(query) !== undefined) return undefined;
  if (state.kind === "cancelled") return { type: "end", query: id };
  const { shard, timestamp } = run.task;
  const isEmpty = (partition: Partition) => run.isEmpty(partition);
  const baseOf = (partition: Partition) => run.bases.of(partition, peer);
  const open = query.partitions.filter((partition) => run.expected(id, partition) !== undefined);
  // On a nearly full disk, a partition alone takes the least.
  const requested = run.isLastShare ? open.slice(0, 1) : open;
  const rules = { shard, timestamp, isEmpty, baseOf };
  const [next] = isMirrorIndex(peer, shard.numNodes)
    ? requested.slice(0, 1).map((partition) => mirrorRequest(rules, partition))
    : narrowedRequests(rules, peer, requested);
  if (next === undefined) return { type: "end", query: id };
  // A response that a hedge has cancelled holds its bytes on a nearly full disk until it has ended.
  if (run.isLastShare && run.queries.hasRequest()) return undefined;
  const { request: body, partitions, bases } = next;
  return { type: "request", query: id, peer, body, partitions, bases };
}

function hasPlace({ queries, isLastShare, task }: RunState): boolean {
  return queries.size < (isLastShare ? 1 : task.concurrency);
}

function nextStart(state: RunState, nowMs: number): Action | undefined {
  const next = hasPlace(state) ? state.planner.next(state.tasks.missing, nowMs) : undefined;
  return next === undefined ? undefined : { type: "start", ...next, isHedge: false, yielding: [] };
}

/**
 * Cancels a straggler whose response has nothing left to give, where partitions wait for its place, or its peer. No
 * backoff protects such a response: there is nothing left to wait for.
 */
function nextUseless({ tasks, queries, throughput }: RunState, nowMs: number): Action | undefined {
  const running = queries.running();
  const isUseless = (query: Query) => {
    const given = tasks.givenBy(query.id);
    return (tasks.missing.size > 0 || given.length > 0) && !isUseful(query, given);
  };
  if (!running.some(isUseless)) return undefined;
  const useless = stragglers(running, throughput, 1, nowMs).find(isUseless);
  return useless === undefined ? undefined : { type: "cancel", query: useless.id, reason: "not-needed" };
}

/**
 * Requests what stragglers give from another peer as well, while the stragglers continue. Where they hold every place
 * and no other peer gives it, requests what waits for a place.
 */
function nextHedge(state: RunState, nowMs: number): Action | undefined {
  const { queries, history, tasks, planner, task, throughput } = state;
  const running = queries.running();
  const slow = stragglers(running, throughput, history.backoff, nowMs);
  const partitions = stragglingPartitions(slow, tasks);
  if (partitions.size === 0) return undefined;
  const query =
    planner.hedge(partitions, (peer) => history.requestedOf(peer), nowMs) ??
    (isHeldUp(state, slow) ? planner.hedge(waiting(state), () => none, nowMs) : undefined);
  if (query === undefined)
    return history.isBackoffDue(nowMs) ? nextBackoff(state, slow, partitions, nowMs) : undefined;
  // On a nearly full disk, the straggler must end before the hedge sends its request.
  const yielding = state.isLastShare
    ? running
    : yieldsTo(query.partitions, { running, stragglers: slow, concurrency: task.concurrency }, tasks);
  return { type: "start", query, rest: undefined, isHedge: true, yielding: yielding.map(({ id }) => id) };
}

const none: ReadonlySet<never> = new Set<never>();

/** What waits for a place, and has not yielded one since the last backoff. */
function waiting({ tasks, history }: RunState): Set<Partition> {
  return new Set([...tasks.missing].filter((partition) => !history.yielded.has(partition)));
}

/** Whether stragglers hold every place. */
function isHeldUp(state: RunState, slow: readonly Query[]): boolean {
  return !hasPlace(state) && slow.length === state.queries.running().length;
}

/** No other peer can be requested for what the stragglers give, nor for what waits behind them. */
function nextBackoff(
  state: RunState,
  slow: readonly Query[],
  partitions: ReadonlySet<Partition>,
  nowMs: number,
): Action {
  const { missing } = state.tasks;
  const running = state.queries.running();
  // A fast peer that the disk had no space for is better than slow ones alone. For what else it had no space for, the
  // slow ones get more time first.
  const lost = state.history.backoff < hedgeBackoffMax ? partitions : state.tasks.pending;
  if (!state.isLastShare && slow.length === running.length && state.isLost(lost, "no-space"))
    return { type: "use-last-share", yielding: running.map(({ id }) => id) };
  // Stragglers yield to what waits for a place, and are requested again after it: each time, they need more time. With one
  // response at a time, a hedge ends its straggler as well.
  const isYielding = isHeldUp(state, slow) && state.planner.hedge(missing, () => none, nowMs) !== undefined;
  return {
    type: "back-off",
    partitions: isYielding ? new Set([...partitions, ...missing]) : partitions,
    isBounded: !isYielding && !state.isLastShare,
  };
}

/** The longer the last decision was ago, the less often the run checks for stragglers. */
function nextWait(state: RunState, nowMs: number): Action {
  const retryMs = hasPlace(state) ? state.pool.nextAvailableMs(state.tasks.missing) : undefined;
  if (state.queries.size === 0)
    return retryMs === undefined ? nextOfLastResort(state) : { type: "wait", untilMs: retryMs };
  const quietMs = (nowMs - state.decidedMs) * stragglerCheckShare;
  const checkMs = nowMs + Math.min(Math.max(stragglerCheckMs, quietMs), stragglerCheckMaxMs);
  return { type: "wait", untilMs: retryMs === undefined ? checkMs : Math.min(retryMs, checkMs) };
}

/** No peer can be requested for anything, now or later. */
function nextOfLastResort(state: RunState): Action {
  const { pending } = state.tasks;
  if (state.budget.mayGrow && state.isLost(pending, "outgrown")) return { type: "grow-budget" };
  if (!state.isLastShare && state.isLost(pending, "no-space"))
    return { type: "use-last-share", yielding: [] };
  return { type: "give-up" };
}
