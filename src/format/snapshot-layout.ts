/** The names in and around a snapshot directory (FORMAT.md). */

import { GLOBAL_PARTITION } from "../protocol/shard.ts";

export const MANIFEST_FILE = "export-manifest.json";
export const EXPORT_DATA_FILE = "export-data.jsonl";
export const RUN_FILE = "run.json";
export const EVIDENCE_DIRECTORY = "evidence";
export const GOSSIP_FILE = `${EVIDENCE_DIRECTORY}/gossip.jsonl`;
export const NODE_LIST_FILE = `${EVIDENCE_DIRECTORY}/node-list.json`;
export const CYCLES_FILE = `${EVIDENCE_DIRECTORY}/cycles.json`;
/** How far the votes of a node reach, and how many carry a hash: without it, nobody can count again. */
export const COUNTING_FILE = `${EVIDENCE_DIRECTORY}/counting.json`;

/** A `/netconfig` response that proves the sharding settings, where they were proved. */
export const NETCONFIG_FILE = `${EVIDENCE_DIRECTORY}/netconfig.json`;

const PARTITION_DIGITS = 5;

export type Compression = "none" | "gzip";

export function snapshotName(timestamp: number): string {
  return `snapshot-${timestamp}`;
}

/** The key of a partition's artifact and of its hash in the export data. */
export function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

export function artifactFile(partition: number, compression: Compression): string {
  const number =
    partition === GLOBAL_PARTITION ? "global" : String(partition).padStart(PARTITION_DIGITS, "0");
  return `partition-${number}.json${compression === "gzip" ? ".gz" : ""}`;
}

/** Whether a name can only be that of a file right inside of the directory. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name);
}
