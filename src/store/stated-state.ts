/** Reads what a snapshot that was verified states about its accounts. */

import { partitionKey } from "../format/artifact.ts";
import { EXPORT_DATA_FILE, parseExportData } from "../format/export-data.ts";
import { fileBytesMax } from "../format/file-bounds.ts";
import { MANIFEST_FILE, type Manifest, parseManifest } from "../format/manifest.ts";
import { asHashHex, type HashHex, type Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { allPartitions } from "../protocol/shard.ts";
import type { SnapshotDirectory } from "./snapshot-directory.ts";

export interface StatedState {
  readonly manifest: Manifest;
  /** 64 lower-case hex digits. */
  readonly hashKey: string;
  /** The hash of each partition, −1 first. */
  readonly hashes: ReadonlyMap<Partition, HashHex>;
}

/**
 * @param verifiedDigest the digest that the verification found
 * @throws an error if the snapshot is no longer the one that was verified
 */
export async function readStatedState(
  reader: SnapshotDirectory,
  verifiedDigest: string,
): Promise<StatedState> {
  const textOf = async (file: string, partitions: number) =>
    (await reader.readBytes(file, fileBytesMax(file, partitions))).toString("utf8");
  const manifest = parseManifest(await textOf(MANIFEST_FILE, 0));
  const { numPartitions } = manifest.snapshot;
  const text = await textOf(EXPORT_DATA_FILE, numPartitions);
  const entries = parseExportData(text, numPartitions, (problem) => {
    throw new Error(`${EXPORT_DATA_FILE}: ${problem}`);
  });
  const hashKey = entries.get("hash.key") ?? "";
  if (hashText(text, hashKey) !== verifiedDigest) throw new Error(`${EXPORT_DATA_FILE} is another one`);
  const hashes = new Map(
    allPartitions({ numNodes: numPartitions }).map((partition) => [
      partition,
      asHashHex(entries.get(partitionKey(partition)) ?? ""),
    ]),
  );
  return { manifest, hashKey, hashes };
}
