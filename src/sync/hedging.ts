/**
 * Which partitions are asked elsewhere because those who are giving them are late, and who has to make room
 * for that (docs/decisions/0012).
 */

import { giversMax, overtakingsAtOnceMax } from "../limits/limits.ts";
import type { NodeQuery } from "./node-query.ts";
import type { PartitionTasks } from "./partition-tasks.ts";
import type { Throughput } from "./throughput.ts";

/** Queries whose answers are late. */
export function stragglers(
  running: readonly NodeQuery[],
  speeds: Throughput,
  patience: number,
): Set<NodeQuery> {
  const answers = running.flatMap((query) => {
    const { answer } = query;
    return answer === undefined ? [] : [{ query, answer }];
  });
  const isLate = (own: (typeof answers)[number]) => {
    const others = answers.filter((other) => other !== own).map(({ answer }) => answer);
    return speeds.isLate(own.query.nodeIndex, own.answer, others, patience);
  };
  return new Set(answers.filter(isLate).map(({ query }) => query));
}

/** Partitions that are wanted, and that all who are giving them are late with. */
export function stragglingPartitions(late: ReadonlySet<NodeQuery>, claims: PartitionTasks): Set<number> {
  const partitions = [...late].flatMap((query) => claims.heldBy(query));
  return new Set(partitions.filter((partition) => [...claims.givers(partition)].every((by) => late.has(by))));
}

/** Overtakings use the room that there is, and one place more. */
function hasRoom(running: readonly NodeQuery[], concurrency: number): boolean {
  const overtaking = running.filter(({ isOvertaking }) => isOvertaking).length;
  if (overtaking >= overtakingsAtOnceMax) return false;
  return running.length < concurrency || overtaking === 0;
}

/**
 * Those that must give way where a partition is asked elsewhere as well: one of too many who give it; and, where
 * there is no room, one of those that are late. So however many are slow, they do not fill the room for good.
 */
export function giveWay(
  partitions: readonly number[],
  {
    running,
    late,
    concurrency,
  }: {
    readonly running: readonly NodeQuery[];
    readonly late: ReadonlySet<NodeQuery>;
    readonly concurrency: number;
  },
  claims: PartitionTasks,
): NodeQuery[] {
  const ways = partitions.flatMap((partition) => {
    const givers = [...claims.givers(partition)];
    return givers.length < giversMax ? [] : leastUseful(givers, claims);
  });
  if (ways.length > 0 || hasRoom(running, concurrency)) return ways;
  return leastUseful([...late], claims);
}

/**
 * Of some queries the one that is missed least: it has given the least that was right, others give the same, and
 * it began first. How many bytes it has sent does not count: those are as cheap as they are wrong.
 */
function leastUseful(queries: readonly NodeQuery[], claims: PartitionTasks): NodeQuery[] {
  const aloneWith = (query: NodeQuery) => claims.heldAlone(query).length;
  const [least] = queries.toSorted((a, b) => a.verified - b.verified || aloneWith(a) - aloneWith(b));
  return least === undefined ? [] : [least];
}
