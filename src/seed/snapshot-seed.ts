/** Published and partial snapshots as seeds. */

import { join } from "node:path";
import type { BaseFile } from "../artifact/response-report.ts";
import { artifactFile, compressionOf, partitionOfKey } from "../format/artifact.ts";
import { EXPORT_DATA_FILE, type ExportEntries, parseExportData } from "../format/export-data.ts";
import { fileBytesMax } from "../format/file-bounds.ts";
import { MANIFEST_FILE, parseManifest } from "../format/manifest.ts";
import { PARTIAL_FILE, parsePartialInfo } from "../format/partial-info.ts";
import { highestAddress, lowestAddress } from "../protocol/address.ts";
import type { Partition } from "../protocol/brands.ts";
import { allPartitions, GLOBAL_PARTITION, makeShard, partitionRange, type Shard } from "../protocol/shard.ts";
import { statsOf } from "../store/own-files.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import type { Seed, SeedList } from "./seed.ts";

/**
 * Reads what a published snapshot says of itself. Its artifacts are not read.
 *
 * @throws an error of the file system, or an error about the file that is not right
 */
export async function readSnapshotSeed(directory: string, name: string): Promise<Seed> {
  const reader = new SnapshotDirectory(directory);
  const { snapshot, artifacts } = parseManifest(await textOf(reader, MANIFEST_FILE, 0));
  const { numPartitions, timestamp } = snapshot;
  const hashes = await exportDataOf(reader, numPartitions);
  const shard = makeShard({ numNodes: numPartitions });
  const lists = artifacts.map(([key, file]): SeedList & { partition: Partition } => {
    const partition = partitionOfKey(key);
    const path = join(directory, file);
    const base: BaseFile = { path, compression: compressionOf(file), ...rangeOf(shard, partition) };
    return { partition, file: base, hash: hashes.get(key) };
  });
  return { ...seedOf(name, timestamp, lists), lacks: "nothing" };
}

/**
 * Reads which partitions a partial snapshot has.
 *
 * @throws an error of the file system, or an error about the file that is not right
 */
export async function readPartialSeed(directory: string, name: string): Promise<Seed> {
  const reader = new SnapshotDirectory(directory);
  const { timestamp, numPartitions } = parsePartialInfo(await textOf(reader, PARTIAL_FILE, 0));
  const shard = makeShard({ numNodes: numPartitions });
  const lists: (SeedList & { partition: Partition })[] = [];
  for (const partition of allPartitions(shard)) {
    for (const compression of ["none", "gzip"] as const) {
      const path = join(directory, artifactFile(partition, compression));
      if ((await statsOf(path))?.isFile() !== true) continue;
      const file = { path, compression, ...rangeOf(shard, partition) };
      lists.push({ partition, file, hash: undefined });
      break;
    }
  }
  return seedOf(name, timestamp, lists);
}

function seedOf(
  name: string,
  timestamp: number,
  lists: readonly (SeedList & { readonly partition: Partition })[],
): Seed {
  return {
    name,
    timestamp,
    lacks: "partitions",
    lists: lists.filter(({ partition }) => partition !== GLOBAL_PARTITION),
    global: lists.find(({ partition }) => partition === GLOBAL_PARTITION),
  };
}

function rangeOf(shard: Shard, partition: Partition): { low: string; high: string } {
  if (partition !== GLOBAL_PARTITION) return partitionRange(shard, partition);
  return { low: lowestAddress(0), high: highestAddress(2 ** 32 - 1) };
}

/** Without the export data, no partition is known to be unchanged. */
async function exportDataOf(reader: SnapshotDirectory, numPartitions: number): Promise<ExportEntries> {
  const text = await textOf(reader, EXPORT_DATA_FILE, numPartitions);
  return parseExportData(text, numPartitions, (problem) => {
    throw new Error(`${EXPORT_DATA_FILE}: ${problem}`);
  });
}

async function textOf(reader: SnapshotDirectory, file: string, numPartitions: number): Promise<string> {
  return (await reader.readBytes(file, fileBytesMax(file, numPartitions))).toString("utf8");
}
