/** Short ways to make branded values: every one goes through a maker of src/protocol/brands.ts, which checks it. */

import {
  asCycle,
  asHashHex,
  asNodeId,
  asNodeIndex,
  asPartition,
  asPublicKey,
  type Cycle,
  type HashHex,
  type NodeId,
  type NodeIndex,
  type Partition,
  type PublicKey,
} from "../../src/protocol/brands.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import type { ActiveNode } from "../../src/protocol/node.ts";

export function asPartitions(numbers: Iterable<number>): Partition[] {
  return Array.from(numbers, asPartition);
}

export function asNodeIndexes(numbers: Iterable<number>): NodeIndex[] {
  return Array.from(numbers, asNodeIndex);
}

export function asNodeIds(texts: Iterable<string>): NodeId[] {
  return Array.from(texts, asNodeId);
}

/** Partition → hash. */
export function asHashes(hashes: Iterable<readonly [number, string]>): Map<Partition, HashHex> {
  return new Map(Array.from(hashes, ([partition, hash]) => [asPartition(partition), asHashHex(hash)]));
}

/** A hash that differs for each name of at most 32 bytes. Hashes are in the order of their names. */
export function hashNamed(name: string): HashHex {
  return asHashHex(Buffer.from(name).toString("hex").padEnd(64, "0"));
}

/** An ID that differs for each name. */
export function idNamed(name: string): NodeId {
  return asNodeId(hashText(name));
}

/** A key that differs for each name. It is not a point of the curve. */
export function keyNamed(name: string): PublicKey {
  return asPublicKey(hashText(name));
}

export function asNodes<T extends { readonly id: string; readonly publicKey?: string | undefined }>(
  nodes: readonly T[],
): (T & Pick<ActiveNode, "id" | "publicKey">)[] {
  return nodes.map((node) => ({
    ...node,
    id: asNodeId(node.id),
    publicKey: node.publicKey === undefined ? undefined : asPublicKey(node.publicKey),
  }));
}

/** The cycles whose votes are admitted. */
export function asWindow(oldest: number, newest: number): { oldest: Cycle; newest: Cycle } {
  return { oldest: asCycle(oldest), newest: asCycle(newest) };
}
