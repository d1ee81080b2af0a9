/**
 * A snapshot while it is made: a directory beside its place, in which verified artifacts gather, and which
 * takes its place in one step when it is complete (FORMAT.md, All or nothing).
 */

import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import { type ExportData, exportDataText } from "../model/export-data.ts";
import { diskFailure, Failure } from "../model/failure.ts";
import { type Manifest, makeManifest, manifestText, type StateSize } from "../model/manifest.ts";
import * as layout from "../model/snapshot-layout.ts";
import { type ArtifactScan, scanArtifact } from "./artifact-scan.ts";
import { gzipFile, syncPath, writeSynced } from "./durable.ts";

/** Files that are synced at once: the disk orders them better than we do. */
const SYNCS_AT_ONCE = 8;

export interface SnapshotPlace {
  /** The directory that snapshots are published in. */
  readonly out: string;
  readonly timestamp: number;
  readonly compression: layout.Compression;
}

/** What a run adds to the artifacts: none of it is part of what two archivers compare. */
export interface RunRecords {
  readonly nodeList: Uint8Array;
  readonly cycles: Uint8Array;
  /** One message a line, ascending by sender. */
  readonly gossip: Iterable<string>;
  readonly run: object;
}

export class PartialSnapshot {
  readonly #place: SnapshotPlace;
  readonly #directory: string;
  readonly #incoming: string;

  private constructor(place: SnapshotPlace) {
    this.#place = place;
    this.#directory = join(place.out, `.${layout.snapshotName(place.timestamp)}.partial`);
    this.#incoming = join(this.#directory, "incoming");
  }

  /** Opens the partial directory, an earlier run's included. The caller holds the lock. */
  static async open(place: SnapshotPlace): Promise<PartialSnapshot> {
    const partial = new PartialSnapshot(place);
    await onDisk(`cannot prepare ${partial.#directory}`, async () => {
      await rm(partial.#incoming, { recursive: true, force: true });
      await mkdir(partial.#incoming, { recursive: true });
      await restoreReplaced(publishedPath(place));
    });
    return partial;
  }

  get directory(): string {
    return this.#directory;
  }

  /** Where a partition of one answer is written while it comes. */
  incomingPath(answer: number, partition: number): string {
    return join(this.#incoming, `${answer}-${partition}.json`);
  }

  /** Takes a verified preimage over as the partition's artifact. */
  async accept(partition: number, path: string): Promise<void> {
    const artifact = this.#artifact(partition);
    await onDisk(`cannot keep ${artifact}`, async () => {
      if (this.#place.compression === "none") return rename(path, artifact);
      await gzipFile(path, `${path}.gz`);
      await rename(`${path}.gz`, artifact);
      await rm(path);
    });
  }

  /** What an earlier run left of a partition, if it has the agreed hash; anything else is removed. */
  async resume(partition: number, hash: string, hashKey: string): Promise<ArtifactScan | undefined> {
    const artifact = this.#artifact(partition);
    const scan = await scanArtifact(artifact, this.#place.compression, hashKey).catch(() => undefined);
    if (scan?.hash === hash) return scan;
    await onDisk(`cannot remove ${artifact}`, () => rm(artifact, { force: true }));
    return undefined;
  }

  /** Completes the directory and puts it in its place. Answers that place, and the manifest. */
  async publish(
    data: ExportData,
    size: StateSize,
    records: RunRecords,
  ): Promise<{ directory: string; manifest: Manifest }> {
    const manifest = makeManifest(data, size, this.#place.compression);
    const directory = publishedPath(this.#place);
    await onDisk(`cannot publish ${directory}`, async () => {
      await rm(this.#incoming, { recursive: true, force: true });
      await this.#removeStrangers(manifest);
      await this.#writeRecords(records);
      await writeSynced(join(this.#directory, layout.EXPORT_DATA_FILE), exportDataText(data));
      const limit = pLimit(SYNCS_AT_ONCE);
      const files = manifest.artifacts.map(([, file]) => join(this.#directory, file));
      await limit.map(files, syncPath);
      await writeSynced(join(this.#directory, layout.MANIFEST_FILE), manifestText(manifest));
      await syncPath(this.#directory);
      await putInPlace(this.#directory, directory);
    });
    return { directory, manifest };
  }

  #artifact(partition: number): string {
    return join(this.#directory, layout.artifactFile(partition, this.#place.compression));
  }

  /** An earlier run may have been of another size or compression. */
  async #removeStrangers(manifest: Manifest): Promise<void> {
    const known = new Set(manifest.artifacts.map(([, file]) => file));
    for (const name of await readdir(this.#directory)) {
      if (!known.has(name)) await rm(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  async #writeRecords(records: RunRecords): Promise<void> {
    const evidence = join(this.#directory, layout.EVIDENCE_DIRECTORY);
    await mkdir(evidence);
    await writeSynced(join(evidence, layout.NODE_LIST_FILE), records.nodeList);
    await writeSynced(join(evidence, layout.CYCLES_FILE), records.cycles);
    await writeSynced(join(evidence, layout.GOSSIP_FILE), records.gossip);
    await syncPath(evidence);
    await writeSynced(join(this.#directory, layout.RUN_FILE), `${JSON.stringify(records.run, null, 2)}\n`);
  }
}

/** Where a snapshot is published. */
export function publishedPath(place: Pick<SnapshotPlace, "out" | "timestamp">): string {
  return join(place.out, layout.snapshotName(place.timestamp));
}

/** The lock of whoever works on a snapshot. */
export function lockPath(place: Pick<SnapshotPlace, "out" | "timestamp">): string {
  return join(place.out, `.${layout.snapshotName(place.timestamp)}.lock`);
}

/** A directory cannot be renamed over a full one: the older snapshot steps aside, and is removed last. */
async function putInPlace(partial: string, published: string): Promise<void> {
  const replaced = replacedPath(published);
  if (await exists(published)) await rename(published, replaced);
  await rename(partial, published);
  await syncPath(dirname(published));
  await rm(replaced, { recursive: true, force: true });
}

/** A run that was killed between the two renames has left the older snapshot aside. */
async function restoreReplaced(published: string): Promise<void> {
  const replaced = replacedPath(published);
  if (!(await exists(replaced))) return;
  if (await exists(published)) await rm(replaced, { recursive: true });
  else await rename(replaced, published);
}

function replacedPath(published: string): string {
  return join(dirname(published), `.${published.slice(dirname(published).length + 1)}.replaced`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function onDisk<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof Failure ? error : diskFailure(doing, error);
  }
}
