/** Partition hashes and the network hash (PROTOCOL.md, Partition hash and network hash). */

import { accountCopyText, isGlobalAccount, type WrappedData } from "./account-copy.ts";
import type { HashHex, Partition } from "./brands.ts";
import { hashText } from "./crypto/hash.ts";
import { allPartitions, GLOBAL_PARTITION, partitionOf, type Shard } from "./shard.ts";

/** The preimage of a partition without accounts. */
export const EMPTY_PREIMAGE = "[]";

/** Returns the preimage of each partition: the canonical text of its copies in ascending order of account ID. */
export function partitionPreimages(accounts: readonly WrappedData[], shard: Shard): Map<Partition, string> {
  const members = new Map<Partition, WrappedData[]>(allPartitions(shard).map((partition) => [partition, []]));
  for (const account of accounts) {
    const partition = isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
    members.get(partition)?.push(account);
  }
  const preimages = new Map<Partition, string>();
  for (const [partition, group] of members) {
    group.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    preimages.set(partition, `[${group.map(accountCopyText).join(",")}]`);
  }
  return preimages;
}

/** Returns the hash of every partition, −1 included, for accounts that fit into memory. */
export function partitionHashes(
  accounts: readonly WrappedData[],
  shard: Shard,
  hashKey?: string,
): Map<Partition, HashHex> {
  const hashes = new Map<Partition, HashHex>();
  for (const [partition, preimage] of partitionPreimages(accounts, shard)) {
    hashes.set(partition, hashText(preimage, hashKey));
  }
  return hashes;
}

/** Returns the hash of all partition hashes, −1 included, sorted as text. It does not bind a hash to its partition. */
export function networkHash(hashes: ReadonlyMap<Partition, HashHex>, hashKey?: string): HashHex {
  return networkHashOf(hashes.values(), hashKey);
}

/** {@link networkHash} of texts that may not even be hashes: those of a file that is checked. */
export function networkHashOf(hashes: Iterable<string>, hashKey?: string): HashHex {
  return hashText(JSON.stringify([...hashes].sort()), hashKey);
}
