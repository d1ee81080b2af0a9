/** The signed message by which a validator gossips its partition hashes (PROTOCOL.md, Partition gossip). */

import type { Cycle, HashHex, NodeId, Partition } from "../../../protocol/brands.ts";
import { type Sign, signed } from "../../../protocol/crypto/signature.ts";
import type { Identity } from "../identity.ts";

export interface PartitionHashMap {
  readonly [partition: string]: string;
}

export interface GossipData {
  readonly partitionHash: PartitionHashMap;
  readonly receiptMapHash: Readonly<Record<string, string>>;
  readonly summaryHash: Readonly<Record<string, string>>;
}

export interface SignedVote {
  readonly cycle: Cycle;
  /** The first design had the map of hashes itself in the place of `data`. */
  readonly data: GossipData | PartitionHashMap;
  /** Node ID. */
  readonly sender: NodeId;
  readonly sign: Sign;
}

export interface VoteOptions {
  /** In the form of the first design. */
  readonly isFirstDesign?: boolean;
}

/** @param hashes of −1 and of each partition that the node stores */
export function makeVote(
  identity: Identity,
  cycle: Cycle,
  hashes: ReadonlyMap<Partition, HashHex>,
  options: VoteOptions = {},
): SignedVote {
  const partitionHash: PartitionHashMap = Object.fromEntries(hashes);
  const data = options.isFirstDesign ? partitionHash : { partitionHash, receiptMapHash: {}, summaryHash: {} };
  return signed({ cycle, data, sender: identity.id }, identity.privateKey);
}
