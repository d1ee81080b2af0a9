/** An artifact: the preimage of one partition (FORMAT.md), plain or compressed. */

import { GLOBAL_PARTITION } from "../protocol/shard.ts";

const PARTITION_DIGITS = 5;

export type Compression = "none" | "gzip";

/** The key of a partition's artifact in the manifest, and of its hash in the export data. */
export function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

/** The partition of a key that {@link partitionKey} made. */
export function partitionOfKey(key: string): number {
  return Number(key.slice("partition.".length));
}

export function artifactFile(partition: number, compression: Compression): string {
  const number =
    partition === GLOBAL_PARTITION ? "global" : String(partition).padStart(PARTITION_DIGITS, "0");
  return `partition-${number}.json${compression === "gzip" ? ".gz" : ""}`;
}

export function compressionOf(file: string): Compression {
  return file.endsWith(".gz") ? "gzip" : "none";
}

/** What one pass over an artifact finds. */
export interface ArtifactScan {
  /** Of the plain text. */
  readonly hash: string;
  /** Of the file itself, where it is compressed: other bytes may decompress to the same text. */
  readonly fileHash?: string;
  readonly accounts: number;
  /** Of the plain text. */
  readonly bytes: number;
  /** The IDs of the first and the last account; `undefined` where there is none. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}
