/**
 * What a node that is to give certain partitions is queried for (PROTOCOL.md, Partial snapshots): all that it
 * has in one plain request where that is what is wanted, otherwise one request for each run of neighbouring
 * partitions, and one for the global accounts.
 */

import {
  GLOBAL_PARTITION,
  partitionRange,
  type Shard,
  storedCount,
  storedPartitions,
} from "../protocol/shard.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";

export interface NarrowedRequest {
  readonly request: SnapshotReq;
  /** What the answer must hold. */
  readonly partitions: readonly number[];
}

/**
 * @param partitions ascending; all of them are stored by the node
 * @param isEmpty whether a partition is known to have no accounts: a request may go over it, at no cost
 */
export function narrowedRequests(
  shard: Shard,
  nodeIndex: number,
  partitions: readonly number[],
  timestamp: number,
  isEmpty?: (partition: number) => boolean,
): NarrowedRequest[] {
  const withGlobal = partitions.includes(GLOBAL_PARTITION);
  const local = partitions.filter((partition) => partition !== GLOBAL_PARTITION);
  if (isAllOf(shard, nodeIndex, local, isEmpty)) {
    return [{ request: withGlobal ? { timestamp } : { timestamp, isGlobal: false }, partitions }];
  }
  const requests: NarrowedRequest[] = runsOf(local, isEmpty).map((run) => {
    const accountStart = partitionRange(shard, run[0] as number).low;
    const accountEnd = partitionRange(shard, run.at(-1) as number).high;
    return { request: { timestamp, accountStart, accountEnd, isGlobal: false }, partitions: run };
  });
  if (withGlobal) requests.push({ request: { timestamp, isGlobal: true }, partitions: [GLOBAL_PARTITION] });
  return requests;
}

/** Whether nothing but empty partitions is left out of what a node stores. */
function isAllOf(
  shard: Shard,
  nodeIndex: number,
  partitions: readonly number[],
  isEmpty: ((partition: number) => boolean) | undefined,
): boolean {
  if (partitions.length === 0) return false;
  if (partitions.length === storedCount(shard)) return true;
  if (isEmpty === undefined) return false;
  const isWanted = new Set(partitions);
  return storedPartitions(shard, nodeIndex).every(
    (partition) => isWanted.has(partition) || isEmpty(partition),
  );
}

/** Neighbouring partitions together; a run does not go on over the end of the address space. */
function runsOf(partitions: readonly number[], isEmpty?: (partition: number) => boolean): number[][] {
  const runs: number[][] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    let next = (run?.at(-1) ?? partition) + 1;
    while (next < partition && isEmpty?.(next)) next++;
    if (run !== undefined && next === partition) run.push(partition);
    else runs.push([partition]);
  }
  return runs;
}
