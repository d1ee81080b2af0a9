/**
 * The requests to a node for certain partitions (PROTOCOL.md, Partial snapshots): one plain request if everything that it
 * stores is wanted, otherwise one request for each run of neighbouring partitions, and one for the global accounts.
 */

import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  partitionAfter,
  partitionRange,
  type Shard,
  storedCount,
  storedPartitions,
} from "../../protocol/shard.ts";
import type { SnapshotReq } from "../../protocol/snapshot-request.ts";

export interface NarrowedRequest {
  readonly request: SnapshotReq;
  /** The partitions that the response must contain. */
  readonly partitions: readonly Partition[];
}

/**
 * @param partitions ascending; all of them are stored by the node
 * @param isEmpty whether a partition is known to have no accounts: a request may go over it, at no cost
 */
export function narrowedRequests(
  shard: Shard,
  nodeIndex: NodeIndex,
  partitions: readonly Partition[],
  timestamp: number,
  isEmpty?: (partition: Partition) => boolean,
): NarrowedRequest[] {
  const withGlobal = partitions.includes(GLOBAL_PARTITION);
  const local = partitions.filter((partition) => partition !== GLOBAL_PARTITION);
  if (isAllOf(shard, nodeIndex, local, isEmpty)) {
    return [{ request: withGlobal ? { timestamp } : { timestamp, isGlobal: false }, partitions }];
  }
  const requests: NarrowedRequest[] = runsOf(local, isEmpty).map(({ first, last, partitions }) => {
    const accountStart = partitionRange(shard, first).low;
    const accountEnd = partitionRange(shard, last).high;
    return { request: { timestamp, accountStart, accountEnd, isGlobal: false }, partitions };
  });
  if (withGlobal) requests.push({ request: { timestamp, isGlobal: true }, partitions: [GLOBAL_PARTITION] });
  return requests;
}

/** Whether nothing but empty partitions is left out of what a node stores. */
function isAllOf(
  shard: Shard,
  nodeIndex: NodeIndex,
  partitions: readonly Partition[],
  isEmpty: ((partition: Partition) => boolean) | undefined,
): boolean {
  if (partitions.length === 0) return false;
  if (partitions.length === storedCount(shard)) return true;
  if (isEmpty === undefined) return false;
  const isWanted = new Set(partitions);
  return storedPartitions(shard, nodeIndex).every(
    (partition) => isWanted.has(partition) || isEmpty(partition),
  );
}

interface Run {
  readonly first: Partition;
  last: Partition;
  readonly partitions: Partition[];
}

/** Neighbouring partitions together; a run does not go on over the end of the address space. */
function runsOf(partitions: readonly Partition[], isEmpty?: (partition: Partition) => boolean): Run[] {
  const runs: Run[] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    let next = partitionAfter(run?.last ?? partition);
    while (next < partition && isEmpty?.(next)) next = partitionAfter(next);
    if (run !== undefined && next === partition) {
      run.partitions.push(partition);
      run.last = partition;
    } else runs.push({ first: partition, last: partition, partitions: [partition] });
  }
  return runs;
}
