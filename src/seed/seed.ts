/**
 * A seed: accounts in order of address that may be those of today. Nothing about them is believed: what is made of them
 * counts if it has the agreed hash. So a seed may be damaged, of another network, or made by anybody.
 */

import type { BaseFile, BaseSource } from "../artifact/response-report.ts";
import { settleMarginMs, settleMs } from "../limits/seed.ts";
import { addressAfter } from "../protocol/address.ts";
import type { Partition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION, partitionRange, type Shard } from "../protocol/shard.ts";

/** A sorted list of accounts. */
export interface SeedList {
  /** All accounts of these addresses are in it. */
  readonly file: BaseSource;
  /** The hash that it should have; `undefined` if it is unknown. */
  readonly hash: string | undefined;
}

export interface Seed {
  /** Its name in messages and in the run record. */
  readonly name: string;
  /** Its moment, in milliseconds. */
  readonly timestamp: number;
  /** What it lacks of its moment: some partitions, or the versions of accounts that newer ones have replaced. */
  readonly lacks: "nothing" | "partitions" | "versions";
  /** Local accounts, in order of address, without overlap. */
  readonly lists: readonly SeedList[];
  /** Global accounts; `undefined` if it has not all of them. */
  readonly global: SeedList | undefined;
}

/** Returns the files with all accounts of a partition; `undefined` if the seed lacks some of its addresses. */
export function filesOf(seed: Seed, shard: Shard, partition: Partition): BaseSource[] | undefined {
  if (partition === GLOBAL_PARTITION) return seed.global && [seed.global.file];
  const { low, high } = partitionRange(shard, partition);
  const files: BaseSource[] = [];
  let next = low;
  for (const { file } of seed.lists) {
    if (file.high < next) continue;
    if (file.low > next) return undefined;
    const isLast = file.high >= high;
    files.push({ ...file, low: next, high: isLast ? high : file.high });
    if (isLast) return files;
    next = addressAfter(file.high);
  }
  return undefined;
}

/** Returns the file with exactly the content that a hash names, if the seed says that it has it. */
export function fileWithHash(seed: Seed, partition: Partition, hash: string): BaseFile | undefined {
  const lists = partition === GLOBAL_PARTITION ? [seed.global] : seed.lists;
  const file = lists.find((list) => list?.hash === hash)?.file;
  return file === undefined || "isGlobal" in file ? undefined : file;
}

/** Returns the time from which on accounts may have changed since a seed (PROTOCOL.md, Partial snapshots). */
export function changedSince({ timestamp }: Pick<Seed, "timestamp">): number {
  return Math.max(0, timestamp - settleMs - settleMarginMs);
}
