/** Which queries are stragglers, what of theirs is hedged, and which queries yield their place (docs/decisions/0012). */

import { hedgesMax, queriesPerPartitionMax } from "../../limits/sync.ts";
import type { Partition } from "../../protocol/brands.ts";
import type { Throughput } from "../peers/throughput.ts";
import type { PartitionTasks } from "./partition-tasks.ts";
import type { Query } from "./query.ts";

/** Queries whose response makes us wait much longer than those of other peers. */
export function stragglers(
  running: readonly Query[],
  throughput: Throughput,
  backoff: number,
  nowMs: number,
): Query[] {
  const responses = running.flatMap((query) => {
    const { state } = query;
    return state.kind === "requesting" ? [{ query, response: state.request.progress.at(nowMs) }] : [];
  });
  const isStraggler = (own: (typeof responses)[number]) => {
    const others = responses.filter((other) => other !== own).map(({ response }) => response);
    return throughput.isStraggling(own.query.peer, own.response, others, backoff);
  };
  return responses.filter(isStraggler).map(({ query }) => query);
}

/** Wanted partitions that stragglers alone give. */
export function stragglingPartitions(stragglers: readonly Query[], tasks: PartitionTasks): Set<Partition> {
  const ids = new Set(stragglers.map(({ id }) => id));
  const given = stragglers.flatMap(({ id }) => tasks.givenBy(id));
  return new Set(given.filter((partition) => [...tasks.queriesFor(partition)].every((id) => ids.has(id))));
}

/** Hedges use the free places, and one place more. */
function hasPlace(running: readonly Query[], concurrency: number): boolean {
  const hedges = running.filter(({ isHedge }) => isHedge).length;
  if (hedges >= hedgesMax) return false;
  return running.length < concurrency || hedges === 0;
}

/**
 * The queries that a hedge cancels: for each partition that as many queries give as may, one of these; and where
 * there is no place, one of the stragglers. So slow peers never hold all places for good, however many they are.
 */
export function yieldsTo(
  partitions: readonly Partition[],
  { running, stragglers, concurrency }: HedgeContext,
  tasks: PartitionTasks,
): Query[] {
  const yielding = new Set<Query>();
  for (const partition of partitions) {
    const ids = tasks.queriesFor(partition);
    if (ids.size < queriesPerPartitionMax) continue;
    const least = leastUseful(
      running.filter(({ id }) => ids.has(id)),
      tasks,
    );
    if (least !== undefined) yielding.add(least);
  }
  if (yielding.size > 0 || hasPlace(running, concurrency)) return [...yielding];
  const least = leastUseful(stragglers, tasks);
  return least === undefined ? [] : [least];
}

export interface HedgeContext {
  readonly running: readonly Query[];
  readonly stragglers: readonly Query[];
  readonly concurrency: number;
}

/**
 * The query that has given least that was right, that gives least that no other query gives, and that began first.
 * Bytes do not count: those are as cheap as they are wrong.
 */
function leastUseful(queries: readonly Query[], tasks: PartitionTasks): Query | undefined {
  const alone = ({ id }: Query) =>
    tasks.givenBy(id).filter((partition) => tasks.queriesFor(partition).size === 1).length;
  return queries.toSorted((a, b) => a.verified - b.verified || alone(a) - alone(b))[0];
}
