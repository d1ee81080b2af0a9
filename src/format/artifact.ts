/** Artifacts (FORMAT.md, Artifacts): each is the preimage of one partition, plain or compressed. */

import { GLOBAL_PARTITION } from "../protocol/shard.ts";

const PARTITION_DIGITS = 5;

export type Compression = "none" | "gzip";

/** The key of a partition's artifact in the manifest, and of its hash in the export data. */
export function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

/** The inverse of {@link partitionKey}. */
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

/** The result of one pass over an artifact. */
export interface ArtifactScan {
  /** The hash of the plain text. */
  readonly hash: string;
  /** The hash of a compressed file: different bytes may decompress to the same text. */
  readonly fileHash?: string;
  readonly accounts: number;
  /** The length of the plain text. */
  readonly bytes: number;
  /** The IDs of the first and the last account; `undefined` in an empty partition. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}
