/** Which node is asked next, and for what (PROTOCOL.md, Algorithm 1): pure functions. */

import { GLOBAL_PARTITION, type Shard, storedPartitions } from "../model/shard.ts";

export interface PlannedQuery {
  readonly nodeIndex: number;
  /** Ascending; the global partition, where it is among them, first. */
  readonly partitions: readonly number[];
}

/** The first node, in the given order, that can give anything that is needed. */
export function nextQuery(
  shard: Shard,
  order: Iterable<number>,
  needed: ReadonlySet<number>,
  mayGive: (nodeIndex: number, partition: number) => boolean = () => true,
): PlannedQuery | undefined {
  if (needed.size === 0) return undefined;
  for (const nodeIndex of order) {
    const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, nodeIndex)];
    const partitions = stored.filter((partition) => needed.has(partition) && mayGive(nodeIndex, partition));
    if (partitions.length > 0) return { nodeIndex, partitions };
  }
  return undefined;
}

/** All queries in their order, if every node gives what is expected of it. */
export function planQueries(
  shard: Shard,
  order: readonly number[],
  needed: ReadonlySet<number>,
): PlannedQuery[] {
  const open = new Set(needed);
  const queries: PlannedQuery[] = [];
  for (const nodeIndex of order) {
    const query = nextQuery(shard, [nodeIndex], open);
    if (query === undefined) continue;
    queries.push(query);
    for (const partition of query.partitions) open.delete(partition);
    if (open.size === 0) break;
  }
  return queries;
}
