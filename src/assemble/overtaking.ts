/**
 * Which partitions are asked elsewhere because those who are giving them are late, and who has to make room
 * for that (docs/decisions/0012).
 */

import { giversMax, overtakingsAtOnceMax } from "../model/limits.ts";
import type { NodeSpeeds } from "../plan/node-speeds.ts";
import type { NodeQuery } from "./node-query.ts";
import type { PartitionClaims } from "./partition-claims.ts";

/** Partitions that are wanted, and that all who are giving them are late with. */
export function latePartitions(
  running: Iterable<NodeQuery>,
  claims: PartitionClaims,
  speeds: NodeSpeeds,
): Set<number> {
  const answers = [...running].flatMap((query) => {
    const { answer } = query;
    return answer === undefined ? [] : [{ query, answer }];
  });
  const isLate = (own: (typeof answers)[number]) => {
    const others = answers.filter((other) => other !== own).map(({ answer }) => answer);
    return speeds.isLate(own.query.nodeIndex, own.answer, others);
  };
  const late = new Set(answers.filter(isLate).map(({ query }) => query));
  const partitions = [...late].flatMap((query) => claims.heldBy(query));
  return new Set(partitions.filter((partition) => [...claims.givers(partition)].every((by) => late.has(by))));
}

/** Overtakings use the room that there is, and one place more, so that the slow ones cannot fill it. */
export function mayOvertake(running: readonly NodeQuery[], concurrency: number): boolean {
  const overtaking = running.filter(({ isOvertaking }) => isOvertaking).length;
  if (overtaking >= overtakingsAtOnceMax) return false;
  return running.length < concurrency || overtaking === 0;
}

/** Those that must give way where others are asked as well: the slowest, where too many give one partition. */
export function outpaced(partitions: readonly number[], claims: PartitionClaims): NodeQuery[] {
  return partitions.flatMap((partition) => {
    const givers = [...claims.givers(partition)];
    if (givers.length < giversMax) return [];
    const bytesOf = ({ answer }: NodeQuery) => answer?.bytes ?? 0;
    return givers.sort((a, b) => bytesOf(a) - bytesOf(b)).slice(0, 1);
  });
}
