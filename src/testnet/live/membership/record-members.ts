/** What a cycle record of a live cluster states about the nodes (PROTOCOL.md, Time and Cycle records). */

import type { HashHex, NodeId, PublicKey } from "../../../protocol/brands.ts";
import { canonicalTextOf } from "../../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../../protocol/crypto/hash.ts";

/** A node with its address, as `joinedConsensors` and `refreshedConsensors` list it. */
export interface StatedNode {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly externalIp: string;
  readonly externalPort: number;
  /** Seconds: the start of the cycle whose record lists the node for the first time. */
  readonly syncingTimestamp: number;
}

export interface RecordMembers {
  /** The number of active nodes before the record. */
  readonly active: number;
  /** Of the nodes before the record. */
  readonly nodeListHash: HashHex;
  readonly changes: {
    readonly joinedConsensors: readonly StatedNode[];
    /** Some nodes that are listed again, so that newer records state every node. */
    readonly refreshedConsensors: readonly StatedNode[];
    readonly activated: readonly NodeId[];
    readonly removed: readonly NodeId[];
    /** Nodes that do not respond. The next record removes them. */
    readonly lost: readonly NodeId[];
    readonly apoptosized: readonly NodeId[];
  };
}

/** Returns the number of nodes that a record refreshes: `2 √N + 2` records refresh all of N. */
export function refreshedCount(nodes: number): number {
  return Math.max(1, Math.ceil(Math.sqrt(nodes) / 2));
}

/** The hash of a node list, in ascending order of `syncingTimestamp` and ID. */
export function nodeListHashOf(nodes: readonly StatedNode[]): HashHex {
  const sorted = [...nodes].sort((a, b) => a.syncingTimestamp - b.syncingTimestamp || (a.id < b.id ? -1 : 1));
  return hashText(canonicalTextOf(sorted));
}
