/**
 * What is asked of a node that is to give certain partitions (PROTOCOL.md, Partial snapshots): all that it
 * has in one plain request where that is what is wanted, otherwise one request for each run of neighbouring
 * partitions, and one for the global accounts.
 */

import { GLOBAL_PARTITION, partitionRange, type Shard, storedPartitions } from "../model/shard.ts";
import type { SnapshotReq } from "../wire/snapshot-request.ts";

export interface NarrowedRequest {
  readonly request: SnapshotReq;
  /** What the answer must hold. */
  readonly partitions: readonly number[];
}

/** @param partitions ascending; all of them are stored by the node */
export function narrowedRequests(
  shard: Shard,
  nodeIndex: number,
  partitions: readonly number[],
  timestamp: number,
): NarrowedRequest[] {
  const withGlobal = partitions.includes(GLOBAL_PARTITION);
  const local = partitions.filter((partition) => partition !== GLOBAL_PARTITION);
  if (local.length === storedPartitions(shard, nodeIndex).length) {
    return [{ request: withGlobal ? { timestamp } : { timestamp, isGlobal: false }, partitions }];
  }
  const requests: NarrowedRequest[] = runsOf(local).map((run) => {
    const accountStart = partitionRange(shard, run[0] as number).low;
    const accountEnd = partitionRange(shard, run.at(-1) as number).high;
    return { request: { timestamp, accountStart, accountEnd, isGlobal: false }, partitions: run };
  });
  if (withGlobal) requests.push({ request: { timestamp, isGlobal: true }, partitions: [GLOBAL_PARTITION] });
  return requests;
}

/** Neighbouring partitions together; a run does not go on over the end of the address space. */
function runsOf(partitions: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const partition of partitions) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === partition - 1) run.push(partition);
    else runs.push([partition]);
  }
  return runs;
}
