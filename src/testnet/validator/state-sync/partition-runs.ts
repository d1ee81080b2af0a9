/** Which partitions a validator fetches, and in which requests. */

import type { NodeId, Partition } from "../../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  homeNodeOf,
  makeShard,
  partitionOf,
  partitionRange,
  type Shard,
  storedPartitions,
} from "../../../protocol/shard.ts";
import type { ShardingSettings } from "../membership/membership.ts";
import type { AccountRange } from "./snapshot-server.ts";

/** Partitions that one request asks for: neighbours, ascending; the global partition is a run of its own. */
export type PartitionRun = readonly Partition[];

/**
 * Returns the partitions that a validator would store in the network of a snapshot. It computes them before it knows any
 * other validator: the home partition is the one whose addresses contain its ID.
 *
 * @param numPartitions of the snapshot: the number of nodes then, not of today
 */
export function ownPartitions(id: NodeId, sharding: ShardingSettings, numPartitions: number): Partition[] {
  const shard = makeShard({ ...sharding, numNodes: numPartitions });
  return [GLOBAL_PARTITION, ...storedPartitions(shard, homeNodeOf(partitionOf(shard, id)))];
}

/** Divides partitions into runs. */
export function runsOf(partitions: Iterable<Partition>): PartitionRun[] {
  const runs: Partition[][] = [];
  for (const partition of [...partitions].sort((a, b) => a - b)) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && last !== GLOBAL_PARTITION && partition === last + 1)
      runs.at(-1)?.push(partition);
    else runs.push([partition]);
  }
  return runs;
}

/** Returns the accounts that the partitions of a run hold, in the geometry of their snapshot. */
export function rangeOf(run: PartitionRun, shard: Shard): AccountRange {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError("a run without partitions");
  if (first === GLOBAL_PARTITION) return "global";
  return { low: partitionRange(shard, first).low, high: partitionRange(shard, last).high };
}
