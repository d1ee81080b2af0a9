/** Reads what a restore needs of a snapshot that was verified. */

import { join } from "node:path";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { partitionKey } from "../format/artifact.ts";
import { EXPORT_DATA_FILE, parseExportData } from "../format/export-data.ts";
import { fileBytesMax } from "../format/file-bounds.ts";
import { MANIFEST_FILE, parseManifest } from "../format/manifest.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { allPartitions } from "../protocol/shard.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import type { AgreedState } from "./archiver/read-accounts-back.ts";

/** A verified snapshot. */
export interface VerifiedSnapshot {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: number;
  /** Paths of the artifacts, in order of partition. */
  readonly artifacts: readonly string[];
  readonly agreed: AgreedState;
}

/**
 * @param verifiedDigest the digest that the verification found
 * @throws SnapshotError `verification` if the snapshot is no longer the one that was verified
 */
export async function readSnapshot(directory: string, verifiedDigest: string): Promise<VerifiedSnapshot> {
  const reader = new SnapshotDirectory(directory);
  try {
    const textOf = async (file: string, partitions: number) =>
      (await reader.readBytes(file, fileBytesMax(file, partitions))).toString("utf8");
    const { artifacts, blockHeight, snapshot } = parseManifest(await textOf(MANIFEST_FILE, 0));
    const { numPartitions, timestamp, accounts, networkHash } = snapshot;
    const text = await textOf(EXPORT_DATA_FILE, numPartitions);
    const entries = parseExportData(text, numPartitions, (problem) => {
      throw new Error(`${EXPORT_DATA_FILE}: ${problem}`);
    });
    const hashKey = entries.get("hash.key") ?? "";
    if (hashText(text, hashKey) !== verifiedDigest) throw new Error(`${EXPORT_DATA_FILE} is another one`);
    const hashes = allPartitions({ numNodes: numPartitions }).map(
      (partition) => [partition, entries.get(partitionKey(partition)) ?? ""] as const,
    );
    return {
      timestamp,
      accounts,
      artifacts: artifacts.map(([, file]) => join(directory, file)),
      agreed: { hashKey, cycle: blockHeight, networkHash, hashes },
    };
  } catch (error) {
    throw new SnapshotError(
      "verification",
      `${directory} changed after it was verified: ${messageOf(error)}`,
      {
        cause: error,
        hint: "Find out what writes to the directory, and run again.",
      },
    );
  }
}
