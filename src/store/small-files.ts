/** Writes the small files of a snapshot, the manifest last. */

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { type Evidence, evidenceFiles } from "../format/evidence/evidence.ts";
import { EXPORT_DATA_FILE, type ExportData, exportDataText } from "../format/export-data.ts";
import { MANIFEST_FILE, type Manifest, manifestText } from "../format/manifest.ts";
import { type FileHashes, RUN_FILE, type RunRecord, runRecordText } from "../format/run-record.ts";
import { EVIDENCE_DIRECTORY } from "../format/snapshot-names.ts";
import { hashText, RunningHash } from "../protocol/crypto/hash.ts";
import { syncPath, writeSynced } from "./durable.ts";
import { DIRECTORY_MODE, removeOwn } from "./own-files.ts";

/** Concurrent syncs at the end of a run, which let the disk choose the order. While partitions still arrive, which need
 *  the disk as well, one file is synced at a time. */
const SYNCS_AT_ONCE = 8;

export interface SnapshotContents {
  readonly manifest: Manifest;
  readonly data: ExportData;
  readonly evidence: Evidence;
  readonly run: RunRecord;
}

export interface WrittenArtifacts {
  /** Compressed artifact → hash of its bytes. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Syncs the artifact at a path, unless it is synced already. */
  readonly sync: (path: string) => Promise<void>;
}

/**
 * Writes every file of a snapshot but its artifacts.
 *
 * @throws the error of the file system
 */
export async function writeSmallFiles(
  directory: string,
  { manifest, data, evidence, run }: SnapshotContents,
  { hashes, sync }: WrittenArtifacts,
): Promise<void> {
  const { hashKey } = data;
  const text = manifestText(manifest);
  const artifacts = manifest.artifacts.map(([, file]) => file);
  await removeOthers(directory, new Set(artifacts));
  const files = {
    [MANIFEST_FILE]: hashText(text, hashKey),
    [EXPORT_DATA_FILE]: manifest.snapshot.digest,
    ...(await writeEvidence(directory, evidence, hashKey)),
    ...hashesOf(artifacts, hashes),
  };
  await writeSynced(join(directory, RUN_FILE), runRecordText(run, files, hashKey));
  await writeSynced(join(directory, EXPORT_DATA_FILE), exportDataText(data));
  await pLimit(SYNCS_AT_ONCE).map(artifacts, (file) => sync(join(directory, file)));
  await writeSynced(join(directory, MANIFEST_FILE), text);
  await syncPath(directory);
}

/** Removes other files: an earlier run may have had other partitions or another compression. */
async function removeOthers(directory: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!kept.has(name)) await removeOwn(join(directory, name));
  }
}

/** Returns the hashes of compressed artifacts. The export data has only the hashes of their plain texts. */
function hashesOf(artifacts: readonly string[], hashes: ReadonlyMap<string, string>): FileHashes {
  return Object.fromEntries(
    artifacts.flatMap((file) => {
      const hash = hashes.get(file);
      return hash === undefined ? [] : [[file, hash]];
    }),
  );
}

/** Returns the hashes of what it wrote. */
async function writeEvidence(directory: string, evidence: Evidence, hashKey: string): Promise<FileHashes> {
  const within = join(directory, EVIDENCE_DIRECTORY);
  await mkdir(within, { mode: DIRECTORY_MODE });
  const hashes: Record<string, string> = {};
  for (const { file, content } of evidenceFiles(evidence)) {
    const hash = new RunningHash(hashKey);
    await writeSynced(join(directory, file), hashed(content, hash));
    hashes[file] = hash.digest();
  }
  await syncPath(within);
  return hashes;
}

function* hashed(content: Iterable<Uint8Array>, hash: RunningHash): Generator<Uint8Array, void, void> {
  for (const bytes of content) {
    hash.update(bytes);
    yield bytes;
  }
}
