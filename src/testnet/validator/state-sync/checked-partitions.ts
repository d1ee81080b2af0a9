/** Compares accounts with the agreed hash of their partition before anything uses them. */

import { accountCopyText, isGlobalAccount, type WrappedData } from "../../../protocol/account-copy.ts";
import type { HashHex, Partition } from "../../../protocol/brands.ts";
import { CanonicalTextError } from "../../../protocol/crypto/canonical-text.ts";
import { RunningHash } from "../../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, partitionOf } from "../../../protocol/shard.ts";
import { syncPartitionBytesMax } from "../../limits.ts";
import type { AgreedSnapshot } from "./agreed-snapshot.ts";
import { ServerError } from "./server-error.ts";

/** The accounts of a partition that have its agreed hash. */
export interface CheckedPartition {
  readonly partition: Partition;
  /** Ascending by address. */
  readonly accounts: readonly WrappedData[];
}

/**
 * Yields the partitions of a stream of accounts, each when all of its accounts have arrived and have the agreed hash.
 *
 * @param accounts ascending by address: exactly those of `partitions`
 * @param partitions ascending
 * @throws ServerError `false`, naming the partition
 */
export async function* checkedPartitions(
  accounts: AsyncIterable<WrappedData>,
  partitions: readonly Partition[],
  snapshot: AgreedSnapshot,
): AsyncGenerator<CheckedPartition, void, void> {
  const left = [...partitions];
  let open = new OpenPartition();
  for await (const account of accounts) {
    const home = homeOf(account, snapshot);
    while (left[0] !== undefined && left[0] !== home) {
      const [done] = left.splice(0, 1);
      if (done !== undefined) yield open.close(done, snapshot.partitionHashes.get(done));
      open = new OpenPartition();
    }
    if (left[0] === undefined)
      throw falsehood(home, `account ${account.accountId} is not in the requested range`);
    open.add(account, home);
  }
  for (const partition of left) {
    yield open.close(partition, snapshot.partitionHashes.get(partition));
    open = new OpenPartition();
  }
}

function homeOf(account: WrappedData, { shard }: AgreedSnapshot): Partition {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}

class OpenPartition {
  readonly #hash = new RunningHash();
  readonly #accounts: WrappedData[] = [];
  #bytes = 0;

  add(account: WrappedData, partition: Partition): void {
    const before = this.#accounts.at(-1);
    if (before !== undefined && before.accountId >= account.accountId) {
      throw falsehood(partition, `account ${account.accountId} does not come after ${before.accountId}`);
    }
    const text = Buffer.from((before === undefined ? "[" : ",") + copyOf(account, partition));
    this.#bytes += text.length;
    if (this.#bytes > syncPartitionBytesMax) throw falsehood(partition, "it is too large");
    this.#hash.update(text);
    this.#accounts.push(account);
  }

  /** @throws ServerError `false` if the accounts do not have the agreed hash */
  close(partition: Partition, agreed: HashHex | undefined): CheckedPartition {
    const end = this.#accounts.length === 0 ? EMPTY_PREIMAGE : "]";
    const hash = this.#hash.update(Buffer.from(end)).digest();
    if (hash !== agreed) throw falsehood(partition, `its hash is ${hash}, the agreed one is ${agreed}`);
    return { partition, accounts: this.#accounts };
  }
}

function copyOf(account: WrappedData, partition: Partition): string {
  try {
    return accountCopyText(account);
  } catch (error) {
    if (error instanceof CanonicalTextError) throw falsehood(partition, error.message);
    throw error;
  }
}

function falsehood(partition: Partition, problem: string): ServerError {
  return new ServerError("false", `partition ${partition}: ${problem}`);
}
