/**
 * `--order cover`: the fewest nodes that together give what is needed and, among those, the least that they
 * would send if they gave all that they store (docs/decisions/0011): pure.
 */

import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import {
  GLOBAL_PARTITION,
  partitionAt,
  ringPartitions,
  type Shard,
  storedCount,
  storedPartitions,
  stores,
} from "../../protocol/shard.ts";
import type { PlannedQuery } from "./algorithm-1.ts";
import { coverRing } from "./arc-cover.ts";
import type { Arc } from "./circular-arcs.ts";

export interface CoverTask {
  readonly shard: Shard;
  /** Nodes that can be queried; those of a later group only for what no earlier one can give. */
  readonly groups: readonly (readonly NodeIndex[])[];
  readonly needed: ReadonlySet<Partition>;
  /** Partitions that a node is not to be queried for. */
  readonly excludedOf?: (nodeIndex: NodeIndex) => Iterable<Partition>;
  /** Whether a partition is known to have no accounts, so that it costs nothing. */
  readonly isEmpty?: (partition: Partition) => boolean;
}

/** Partitions that no node can give are left out. The first query is the one that may be for all that its node has. */
export function coverQueries(task: CoverTask): PlannedQuery[] {
  const { shard, groups } = task;
  const isOpen = ringPartitions(shard).map((partition) => task.needed.has(partition));
  const queries = groups.flatMap((group) => {
    const chosen = coverRing(arcsOf(task, group), isOpen).map(({ node }) => node);
    return shared(task, [...new Set(chosen)], isOpen);
  });
  return withGlobal(task, queries);
}

/** What each node stores, in one piece; around what it is not to be queried for, in several. */
function arcsOf({ shard, excludedOf, isEmpty }: CoverTask, nodes: readonly NodeIndex[]): Arc[] {
  const { numNodes, storeRadius } = shard;
  const length = storedCount(shard);
  const weights = arcWeights(shard, length, isEmpty);
  return nodes.flatMap((node) => {
    // Where every node stores everything, all arcs are one.
    const first = length === numNodes ? 0 : (node - storeRadius + numNodes) % numNodes;
    const weight = weights[first] as number;
    const all = [...(excludedOf?.(node) ?? [])];
    if (all.length === 0) return [{ node, first, length, weight }];
    const refused = all
      .filter((partition) => partition !== GLOBAL_PARTITION && stores(shard, node, partition))
      .map((partition) => (partition - first + numNodes) % numNodes)
      .sort((a, b) => a - b);
    const pieces = [-1, ...refused].map((hole, index) => ({ from: hole + 1, to: refused[index] ?? length }));
    return pieces
      .filter(({ from, to }) => to > from)
      .map(({ from, to }) => ({ node, first: (first + from) % numNodes, length: to - from, weight }));
  });
}

/** By the arc's beginning, how many of its partitions have accounts: what its node sends if it knows no ranges. */
function arcWeights(shard: Shard, length: number, isEmpty: CoverTask["isEmpty"]): number[] {
  const size = (position: number) => (isEmpty?.(partitionAt(shard, position)) ? 0 : 1);
  let weight = 0;
  for (let position = 0; position < length; position++) weight += size(position);
  return Array.from({ length: shard.numNodes }, (_, first) => {
    const own = weight;
    weight += size(first + length) - size(first);
    return own;
  });
}

/**
 * Shares what is open out among nodes in the order of the ring, each partition to one of them. The first
 * gets all that it stores, for which there is a request without a range; it is the one whose partitions go
 * on over the end of the address space, which a range cannot. So each node gets one request.
 */
function shared(task: CoverTask, nodes: readonly NodeIndex[], isOpen: boolean[]): PlannedQuery[] {
  const wholes = nodes.filter((node) => isWhole(task, node, isOpen));
  const first = wholes.find((node) => wraps(task.shard, node)) ?? wholes[0] ?? nodes[0];
  const from = first === undefined ? 0 : nodes.indexOf(first);
  return [...nodes.slice(from), ...nodes.slice(0, from)].flatMap((nodeIndex) => {
    const refused = new Set(task.excludedOf?.(nodeIndex));
    const partitions = storedPartitions(task.shard, nodeIndex).filter(
      (partition) => isOpen[partition] && !refused.has(partition),
    );
    for (const partition of partitions) isOpen[partition] = false;
    return partitions.length === 0 ? [] : [{ nodeIndex, partitions }];
  });
}

/** Whether all that a node stores is needed of it, or is empty. */
function isWhole(
  { shard, excludedOf, isEmpty }: CoverTask,
  node: NodeIndex,
  isOpen: readonly boolean[],
): boolean {
  const refused = new Set(excludedOf?.(node));
  return storedPartitions(shard, node).every(
    (partition) => (isOpen[partition] && !refused.has(partition)) || isEmpty?.(partition) === true,
  );
}

/** Whether a node stores partitions on both sides of the end of the address space. */
function wraps({ numNodes, storeRadius }: Shard, node: NodeIndex): boolean {
  return node - storeRadius < 0 || node + storeRadius >= numNodes;
}

/** The global partition comes with the first query, the only one that may be for all that a node has. */
function withGlobal({ needed, groups, excludedOf }: CoverTask, queries: PlannedQuery[]): PlannedQuery[] {
  if (!needed.has(GLOBAL_PARTITION)) return queries;
  const mayGive = (node: NodeIndex) => ![...(excludedOf?.(node) ?? [])].includes(GLOBAL_PARTITION);
  const giver = queries.findIndex(({ nodeIndex }) => mayGive(nodeIndex));
  if (giver >= 0) {
    return queries.map((query, index) =>
      index === giver ? { ...query, partitions: [GLOBAL_PARTITION, ...query.partitions] } : query,
    );
  }
  const other = groups.flat().find(mayGive);
  return other === undefined ? queries : [...queries, { nodeIndex: other, partitions: [GLOBAL_PARTITION] }];
}
