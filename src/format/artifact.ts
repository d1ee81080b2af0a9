/** Artifacts (FORMAT.md, Artifacts): each is the preimage of one partition, plain or compressed. */

import { asPartition, type HashHex, type Partition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION } from "../protocol/shard.ts";

const PARTITION_DIGITS = 5;

export type Compression = "none" | "gzip";

/** Returns the key of a partition's artifact in the manifest, and of its hash in the export data. */
export function partitionKey(partition: Partition): string {
  return `partition.${partition}`;
}

/**
 * Returns the inverse of {@link partitionKey}.
 *
 * @throws RangeError for another text
 */
export function partitionOfKey(key: string): Partition {
  return asPartition(Number(key.slice("partition.".length)));
}

export function artifactFile(partition: Partition, compression: Compression): string {
  const number =
    partition === GLOBAL_PARTITION ? "global" : String(partition).padStart(PARTITION_DIGITS, "0");
  return `partition-${number}.json${compression === "gzip" ? ".gz" : ""}`;
}

export function compressionOf(file: string): Compression {
  return file.endsWith(".gz") ? "gzip" : "none";
}

/** The result of one pass over an artifact. */
export interface ArtifactScan {
  /** The hash of the plain text. */
  readonly hash: HashHex;
  /** The hash of a compressed file: different bytes may decompress to the same text. */
  readonly fileHash?: HashHex;
  readonly accounts: number;
  /** The length of the plain text. */
  readonly bytes: number;
  /** The IDs of the first and the last account; `undefined` in an empty partition. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}
