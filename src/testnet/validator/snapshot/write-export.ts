/**
 * Writes a validator's state at a cycle boundary as an export (FORMAT.md): a manifest, export data, and an artifact with
 * two indexes for each partition that the validator stores. It runs in the export process.
 */

import type { FileHandle } from "node:fs/promises";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PreimageWriter } from "../../../artifact/preimage-writer.ts";
import { artifactFile } from "../../../format/artifact.ts";
import { EXPORT_DATA_FILE, exportDataText, type StateExportData } from "../../../format/export-data.ts";
import { MANIFEST_FILE, makeStateExportManifest, manifestText } from "../../../format/manifest.ts";
import type { Cycle, HashHex, Partition } from "../../../protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../../protocol/crypto/hash.ts";
import { syncPath, writeSynced } from "../../../store/durable.ts";
import { copyTextOf, StateReader } from "../state/state-reader.ts";
import { type StateView, viewedPages } from "../state-view.ts";
import { ChangeFileWriter, changeFile } from "./change-file.ts";
import { IndexWriter, indexFile } from "./export-index.ts";

export interface ExportRequest {
  readonly databasePath: string;
  /** The directory of the export. It must not contain another export. */
  readonly directory: string;
  readonly cycle: Cycle;
  /** The end of the cycle, in milliseconds. */
  readonly timestamp: number;
  /** −1 and the stored partitions, ascending. */
  readonly partitions: readonly Partition[];
  readonly numPartitions: number;
}

/** Receives the progress of an export. */
export interface ExportProgress {
  /** The state is held: commits can continue. */
  readonly started: () => void;
  /** A partition is written. */
  readonly wrote: (partition: Partition) => void;
}

/** The deviations of an export from an honest one. */
export interface ExportHooks {
  readonly views: readonly StateView[];
  /** The pause between two partitions. */
  readonly pauseMs: number;
}

export const honestExport: ExportHooks = { views: [], pauseMs: 0 };

/**
 * The manifest is created first, so that a directory has only one export, and written last: a directory with a manifest
 * that is not empty is a complete export.
 *
 * @throws SnapshotError where the database is not at the end of the expected cycle; system errors of the disk
 */
export async function writeExport(
  request: ExportRequest,
  progress: ExportProgress,
  hooks: ExportHooks = honestExport,
): Promise<void> {
  await mkdir(request.directory, { recursive: true });
  const manifest = await open(join(request.directory, MANIFEST_FILE), "wx");
  try {
    const reader = StateReader.open(request.databasePath, request.cycle, request.numPartitions);
    try {
      progress.started();
      await writeAll(request, reader, manifest, progress, hooks);
    } finally {
      reader.close();
    }
  } finally {
    await manifest.close();
  }
  await syncPath(request.directory);
}

async function writeAll(
  request: ExportRequest,
  reader: StateReader,
  manifest: FileHandle,
  { wrote }: ExportProgress,
  hooks: ExportHooks,
): Promise<void> {
  const { directory, cycle, timestamp, partitions } = request;
  const partitionHashes = new Map<Partition, HashHex>();
  let accounts = 0;
  let bytes = 0;
  for (const partition of partitions) {
    const written = await writePartition(directory, partition, reader, hooks.views);
    partitionHashes.set(partition, written.hash);
    accounts += written.accounts;
    bytes += written.bytes;
    wrote(partition);
    if (hooks.pauseMs > 0) await sleep(hooks.pauseMs);
  }
  // The agreed hashes are not known yet: an export states the hashes of its validator.
  const data: StateExportData = { timestamp, cycle, hashKey: DEFAULT_HASH_KEY, partitionHashes };
  await writeSynced(join(directory, EXPORT_DATA_FILE), exportDataText(data));
  const size = { accounts, bytes, numPartitions: request.numPartitions };
  const content = makeStateExportManifest(data, size, "none");
  await manifest.writeFile(manifestText(content));
  await manifest.sync();
}

async function writePartition(
  directory: string,
  partition: Partition,
  reader: StateReader,
  views: readonly StateView[],
): Promise<{ hash: HashHex; accounts: number; bytes: number }> {
  const path = join(directory, artifactFile(partition, "none"));
  const writer = new PreimageWriter(path, DEFAULT_HASH_KEY);
  const index = await IndexWriter.create(indexFile(path));
  const changes = await ChangeFileWriter.create(changeFile(path));
  try {
    for await (const rows of viewedPages(reader, partition, views)) {
      for (const row of rows) {
        // A bracket or a comma precedes each copy.
        const offset = writer.bytes + 1;
        writer.append(Buffer.from(copyTextOf(row)));
        const { accountId, isText, timestamp } = row;
        await index.add({ accountId, offset, bytes: writer.bytes - offset, isText });
        await changes.add(timestamp);
        if (writer.isFull) await writer.flush();
      }
    }
    const hash = await writer.close();
    await syncPath(path);
    return { hash, accounts: writer.accounts, bytes: writer.bytes };
  } finally {
    await writer.abandon();
    await index.close();
    await changes.close();
  }
}
