/**
 * The functions of this folder for callers of the library, who have plain numbers and texts. Each argument is checked
 * here: a wrong one is a RangeError that names it.
 */

import type { WrappedData } from "./account-copy.ts";
import { asHashHex, asNodeIndex, asPartition } from "./brands.ts";
import * as hashing from "./partition-hash.ts";
import * as algorithm1 from "./query-order.ts";
import type { Shard } from "./shard.ts";
import * as geometry from "./shard.ts";

/** Returns the inclusive range of addresses of a partition from 0 to N − 1. */
export function partitionRange(shard: Shard, partition: number): { low: string; high: string } {
  return geometry.partitionRange(shard, asPartition(partition));
}

/** Returns the partition whose range holds the address. The caller handles global accounts. */
export function partitionOf(shard: Shard, address: string): number {
  return geometry.partitionOf(shard, address);
}

/** Returns the partitions that a node stores, ascending, without the global one, which every node stores. */
export function storedPartitions(shard: Shard, nodeIndex: number): number[] {
  return geometry.storedPartitions(shard, asNodeIndex(nodeIndex));
}

/** Returns the indices of the nodes that vote on a partition, ascending; all nodes vote on −1. */
export function coveringNodes(shard: Shard, partition: number): number[] {
  return geometry.coveringNodes(shard, asPartition(partition));
}

/** Returns indices into the nodes in ascending order of ID: a permutation of 0 to `numNodes − 1`. */
export function queryOrder(numNodes: number): number[] {
  return algorithm1.queryOrder(numNodes);
}

/** Returns the hash of every partition, −1 included, for accounts that fit into memory. */
export function partitionHashes(
  accounts: readonly WrappedData[],
  shard: Shard,
  hashKey?: string,
): Map<number, string> {
  return hashing.partitionHashes(accounts, shard, hashKey);
}

/** Returns the hash of all partition hashes, −1 included, sorted as text. It does not bind a hash to its partition. */
export function networkHash(hashes: ReadonlyMap<number, string>, hashKey?: string): string {
  const checked = [...hashes].map(([partition, hash]) => [asPartition(partition), asHashHex(hash)] as const);
  return hashing.networkHash(new Map(checked), hashKey);
}
