/**
 * The geometry of a sharded network (PROTOCOL.md, Partitions): which addresses a partition holds, which nodes vote on
 * it, and which partitions a node stores. A partition has the number of its home node, which is that node's index in
 * ascending order of ID.
 */

import { nodesMax } from "../limits/network.ts";
import { addressPrefix, highestAddress, lowestAddress } from "./address.ts";
import type { NodeIndex, Partition } from "./brands.ts";

/** The partition of global accounts, which every node holds, whatever their address. */
export const GLOBAL_PARTITION = -1 as Partition;

export const DEFAULT_NODES_PER_CONSENSUS_GROUP = 5;
export const DEFAULT_NODES_PER_EDGE = 2;

const PREFIX_COUNT = 2 ** 32;
const PREFIX_MAX = PREFIX_COUNT - 1;

export interface Shard {
  readonly numNodes: number;
  /** The number of address prefixes in a partition. */
  readonly partitionSize: number;
  /** Node i votes on the partitions `i ± consensusRadius`. */
  readonly consensusRadius: number;
  /** Node i stores the partitions `i ± storeRadius`. */
  readonly storeRadius: number;
}

export interface ShardSettings {
  readonly numNodes: number;
  readonly nodesPerConsensusGroup?: number;
  readonly nodesPerEdge?: number;
}

/**
 * Computes the geometry of a network from its settings.
 *
 * @throws RangeError for settings that no network can have
 */
export function makeShard(settings: ShardSettings): Shard {
  const { numNodes } = settings;
  requireCount("numNodes", numNodes, 1, nodesMax);
  const group = settings.nodesPerConsensusGroup ?? DEFAULT_NODES_PER_CONSENSUS_GROUP;
  requireCount("nodesPerConsensusGroup", group, 1, Number.MAX_SAFE_INTEGER);
  const consensusRadius = consensusRadiusOf(group);
  const nodesPerEdge = settings.nodesPerEdge ?? consensusRadius;
  requireCount("nodesPerEdge", nodesPerEdge, 0, Number.MAX_SAFE_INTEGER);
  return {
    numNodes,
    partitionSize: Math.round(PREFIX_COUNT / numNodes),
    consensusRadius,
    storeRadius: consensusRadius + nodesPerEdge,
  };
}

/** Returns how many partitions a node votes on to either side of its home partition. */
export function consensusRadiusOf(nodesPerConsensusGroup: number): number {
  return Math.floor(nodesPerConsensusGroup / 2);
}

function requireCount(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is a whole number from ${min} to ${max}, not ${value}`);
  }
}

/** Returns all partitions in their canonical order, the global one first. */
export function allPartitions(shard: Pick<Shard, "numNodes">): Partition[] {
  return [GLOBAL_PARTITION, ...ringPartitions(shard)];
}

/** Returns the partitions 0 to N − 1. */
export function ringPartitions({ numNodes }: Pick<Shard, "numNodes">): Partition[] {
  return Array.from({ length: numNodes }, (_, partition) => partition as Partition);
}

/** Returns the indices of all nodes. */
export function allNodes({ numNodes }: Pick<Shard, "numNodes">): NodeIndex[] {
  return Array.from({ length: numNodes }, (_, index) => index as NodeIndex);
}

/** Returns the partition at a position of the ring, which continues from N − 1 at 0. */
export function partitionAt({ numNodes }: Pick<Shard, "numNodes">, position: number): Partition {
  return (((position % numNodes) + numNodes) % numNodes) as Partition;
}

/** Returns the partition with the next number, which a network of more partitions has. */
export function partitionAfter(partition: Partition): Partition {
  return (partition + 1) as Partition;
}

/** Returns the node whose home partition it is, which is not the global one. */
export function homeNodeOf(partition: Partition): NodeIndex {
  return partition as number as NodeIndex;
}

/** Returns whether the network has this partition. */
export function hasPartition({ numNodes }: Pick<Shard, "numNodes">, partition: Partition): boolean {
  return partition >= GLOBAL_PARTITION && partition < numNodes;
}

/** Returns the inclusive range of addresses of a partition from 0 to N − 1. */
export function partitionRange(shard: Shard, partition: Partition): { low: string; high: string } {
  requireCount("partition", partition, 0, shard.numNodes - 1);
  const low = partition * shard.partitionSize;
  const end = low + shard.partitionSize - 1;
  // The last partition absorbs the rounding of the size.
  const high = end >= PREFIX_MAX - shard.numNodes ? PREFIX_MAX : end;
  return { low: lowestAddress(low), high: highestAddress(high) };
}

/** Returns the partition whose range holds the address. The caller handles global accounts. */
export function partitionOf(shard: Shard, address: string): Partition {
  const partition = Math.min(Math.floor(addressPrefix(address) / shard.partitionSize), shard.numNodes - 1);
  return partition as Partition;
}

/** Returns the partitions that a node stores, ascending, without the global one, which every node stores. */
export function storedPartitions(shard: Shard, nodeIndex: NodeIndex): Partition[] {
  return around(shard, nodeIndex, shard.storeRadius) as Partition[];
}

/** Returns how many partitions each node stores, without the global one. */
export function storedCount({ numNodes, storeRadius }: Shard): number {
  return Math.min(numNodes, 2 * storeRadius + 1);
}

/** Returns the indices of the nodes that vote on a partition, ascending; all nodes vote on −1. */
export function coveringNodes(shard: Shard, partition: Partition): NodeIndex[] {
  if (partition === GLOBAL_PARTITION) return allNodes(shard);
  return around(shard, partition, shard.consensusRadius) as NodeIndex[];
}

/** Returns whether a node stores the accounts of a partition. */
export function stores(shard: Shard, nodeIndex: NodeIndex, partition: Partition): boolean {
  return partition === GLOBAL_PARTITION || ringDistance(shard, nodeIndex, partition) <= shard.storeRadius;
}

/** Returns whether a node votes on a partition. */
export function covers(shard: Shard, nodeIndex: NodeIndex, partition: Partition): boolean {
  return partition === GLOBAL_PARTITION || ringDistance(shard, nodeIndex, partition) <= shard.consensusRadius;
}

/** Returns how many nodes vote on a partition. */
export function coveringCount(
  { numNodes, consensusRadius }: Pick<Shard, "numNodes" | "consensusRadius">,
  partition: Partition,
): number {
  return partition === GLOBAL_PARTITION ? numNodes : Math.min(numNodes, 2 * consensusRadius + 1);
}

/** Returns the distance on the ring between a node and a partition from 0 to N − 1. */
export function ringDistance(
  { numNodes }: Pick<Shard, "numNodes">,
  node: NodeIndex,
  partition: Partition,
): number {
  const distance = Math.abs(node - partition);
  return Math.min(distance, numNodes - distance);
}

function around(shard: Shard, centre: NodeIndex | Partition, radius: number): number[] {
  const { numNodes } = shard;
  requireCount("index", centre, 0, numNodes - 1);
  if (2 * radius + 1 >= numNodes) return upTo(0, numNodes - 1);
  const [first, last] = [centre - radius, centre + radius];
  if (first < 0) return [...upTo(0, last), ...upTo(first + numNodes, numNodes - 1)];
  if (last >= numNodes) return [...upTo(0, last - numNodes), ...upTo(first, numNodes - 1)];
  return upTo(first, last);
}

function upTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, step) => first + step);
}
