/** Which node is queried next, and for what (PROTOCOL.md, Algorithm 1): pure functions. */

import type { NodeIndex, Partition, PeerIndex } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, type Shard, storedPartitions } from "../../protocol/shard.ts";

export interface PlannedQuery<Index extends PeerIndex = NodeIndex> {
  readonly nodeIndex: Index;
  /** Ascending; the global partition, where it is among them, first. */
  readonly partitions: readonly Partition[];
}

/** The first node, in the given order, that can give anything that is needed. */
export function nextQuery(
  shard: Shard,
  order: Iterable<NodeIndex>,
  needed: ReadonlySet<Partition>,
  mayGive: (nodeIndex: NodeIndex, partition: Partition) => boolean = () => true,
): PlannedQuery | undefined {
  if (needed.size === 0) return undefined;
  const isOfUse = storersOf(shard, needed);
  for (const nodeIndex of order) {
    if (!isOfUse(nodeIndex)) continue;
    const query = queryOf(shard, nodeIndex, needed, mayGive);
    if (query !== undefined) return query;
  }
  return undefined;
}

/** All queries in their order, if every node gives what is expected of it. */
export function planQueries(
  shard: Shard,
  order: readonly NodeIndex[],
  needed: ReadonlySet<Partition>,
): PlannedQuery[] {
  const open = new Set(needed);
  const queries: PlannedQuery[] = [];
  for (const nodeIndex of order) {
    const query = queryOf(shard, nodeIndex, open);
    if (query === undefined) continue;
    queries.push(query);
    for (const partition of query.partitions) open.delete(partition);
    if (open.size === 0) break;
  }
  return queries;
}

function queryOf(
  shard: Shard,
  nodeIndex: NodeIndex,
  needed: ReadonlySet<Partition>,
  mayGive: (nodeIndex: NodeIndex, partition: Partition) => boolean = () => true,
): PlannedQuery | undefined {
  const stored = [GLOBAL_PARTITION, ...storedPartitions(shard, nodeIndex)];
  const partitions = stored.filter((partition) => needed.has(partition) && mayGive(nodeIndex, partition));
  return partitions.length === 0 ? undefined : { nodeIndex, partitions };
}

/** Whether a node stores anything that is needed: counted once, since most nodes of a large network do not. */
function storersOf(
  { numNodes, storeRadius }: Shard,
  needed: ReadonlySet<Partition>,
): (nodeIndex: NodeIndex) => boolean {
  if (needed.has(GLOBAL_PARTITION) || 2 * storeRadius + 1 >= numNodes) return () => true;
  const isNeeded = new Uint8Array(numNodes);
  for (const partition of needed) isNeeded[partition] = 1;
  /** By position, those needed before it; the ring goes round three times. */
  const before = new Uint32Array(3 * numNodes + 1);
  for (let position = 0; position < 3 * numNodes; position++) {
    before[position + 1] = (before[position] as number) + (isNeeded[position % numNodes] as number);
  }
  return (nodeIndex) => {
    const centre = nodeIndex + numNodes;
    return before[centre - storeRadius] !== before[centre + storeRadius + 1];
  };
}
