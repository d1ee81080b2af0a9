/**
 * Writes a validator's state at a cycle boundary as an export (FORMAT.md): a manifest, export data, and an
 * artifact for each partition that it stores, with an index beside it. This is what the export's process does.
 */

import type { FileHandle } from "node:fs/promises";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PreimageWriter } from "../../../artifact/preimage-writer.ts";
import { artifactFile } from "../../../format/artifact.ts";
import { EXPORT_DATA_FILE, exportDataText, type StateExportData } from "../../../format/export-data.ts";
import { MANIFEST_FILE, makeStateExportManifest, manifestText } from "../../../format/manifest.ts";
import { DEFAULT_HASH_KEY } from "../../../protocol/crypto/hash.ts";
import { syncPath, writeSynced } from "../../../store/durable.ts";
import { copyTextOf, StateReader } from "../state/state-reader.ts";
import { believed, type StateView } from "../state-view.ts";
import { IndexWriter, indexFile } from "./export-index.ts";

export interface ExportRequest {
  readonly databasePath: string;
  /** Where it is written: it must not hold another export. */
  readonly directory: string;
  readonly cycle: number;
  /** Milliseconds: the end of the cycle. */
  readonly timestamp: number;
  /** −1 and those that are stored, ascending. */
  readonly partitions: readonly number[];
  readonly numPartitions: number;
}

/** What happens on the way. */
export interface ExportProgress {
  /** The state is held: commits may go on. */
  readonly started: () => void;
  /** A partition is written. */
  readonly wrote: (partition: number) => void;
}

/** How an export deviates from an honest one; an honest one does in nothing. */
export interface ExportHooks {
  readonly beliefs: readonly StateView[];
  /** Between two partitions. */
  readonly pauseMs: number;
}

export const honestExport: ExportHooks = { beliefs: [], pauseMs: 0 };

/**
 * The manifest is opened first, which only one export can do in a directory, and written last: a directory
 * with a manifest that has a content is a whole export.
 *
 * @throws SnapshotError where the database is not at the end of the expected cycle; system errors of the disk
 */
export async function writeExport(
  request: ExportRequest,
  progress: ExportProgress,
  conduct: ExportHooks = honestExport,
): Promise<void> {
  await mkdir(request.directory, { recursive: true });
  const manifest = await open(join(request.directory, MANIFEST_FILE), "wx");
  try {
    const reader = StateReader.open(request.databasePath, request.cycle);
    try {
      progress.started();
      await writeAll(request, reader, manifest, progress, conduct);
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
  conduct: ExportHooks,
): Promise<void> {
  const { directory, cycle, timestamp, partitions } = request;
  const partitionHashes = new Map<number, string>();
  let accounts = 0;
  let bytes = 0;
  for (const partition of partitions) {
    const written = await writePartition(directory, partition, reader, conduct.beliefs);
    partitionHashes.set(partition, written.hash);
    accounts += written.accounts;
    bytes += written.bytes;
    wrote(partition);
    if (conduct.pauseMs > 0) await sleep(conduct.pauseMs);
  }
  // What the network agrees on is not known yet: an export vouches for what its validator holds.
  const data: StateExportData = { timestamp, cycle, hashKey: DEFAULT_HASH_KEY, partitionHashes };
  await writeSynced(join(directory, EXPORT_DATA_FILE), exportDataText(data));
  const size = { accounts, bytes, numPartitions: request.numPartitions };
  const content = makeStateExportManifest(data, size, "none");
  await manifest.writeFile(manifestText(content));
  await manifest.sync();
}

async function writePartition(
  directory: string,
  partition: number,
  reader: StateReader,
  beliefs: readonly StateView[],
): Promise<{ hash: string; accounts: number; bytes: number }> {
  const path = join(directory, artifactFile(partition, "none"));
  const writer = new PreimageWriter(path, DEFAULT_HASH_KEY);
  const index = await IndexWriter.create(indexFile(path));
  try {
    for await (const rows of believed(reader, partition, beliefs)) {
      for (const row of rows) {
        // The list's bracket or a comma stands before each copy.
        const offset = writer.bytes + 1;
        writer.append(Buffer.from(copyTextOf(row)));
        const { accountId, isText } = row;
        await index.add({ accountId, offset, bytes: writer.bytes - offset, isText });
        if (writer.isFull) await writer.flush();
      }
    }
    const hash = await writer.close();
    await syncPath(path);
    return { hash, accounts: writer.accounts, bytes: writer.bytes };
  } finally {
    await writer.abandon();
    await index.close();
  }
}
