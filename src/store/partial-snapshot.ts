/**
 * A snapshot while it is made: a directory beside its place, in which verified artifacts gather, and which
 * takes its place in one step when it is complete (FORMAT.md, All or nothing).
 */

import { mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import type { ArtifactScan } from "../model/artifact-scan.ts";
import { type ExportData, exportDataText } from "../model/export-data.ts";
import { diskFailure, Failure } from "../model/failure.ts";
import { hashText, RunningHash } from "../model/hash.ts";
import { type Manifest, makeManifest, manifestText, type StateSize } from "../model/manifest.ts";
import { type FileHashes, runRecordText } from "../model/run-record.ts";
import * as layout from "../model/snapshot-layout.ts";
import type { CountingRules } from "../wire/counting-rules.ts";
import { scanArtifact } from "./artifact-scan.ts";
import { gzipFile, makeDirectories, syncPath, writeSynced } from "./durable.ts";
import {
  DIRECTORY_MODE,
  isOwnFile,
  removeOwn,
  requireOwner,
  requireOwnTree,
  requireSafePlace,
  statsOf,
} from "./own-files.ts";

/** Files that are synced at once: one while partitions still come, which need the disk as well; in the end
 *  several, which the disk orders better than we do. */
const SYNCS_AT_ONCE = 8;

export interface SnapshotPlace {
  /** The directory that snapshots are published in. */
  readonly out: string;
  readonly timestamp: number;
  readonly compression: layout.Compression;
}

/** What proves the agreement: not part of what two archivers compare. */
export interface Evidence {
  readonly nodeList: Uint8Array;
  readonly cycles: Uint8Array;
  readonly counting: CountingRules;
  /** The `/netconfig` response that proves the sharding settings, where they were proved. */
  readonly netconfig?: Uint8Array | undefined;
  /** One message a line, ascending by sender. */
  readonly gossip: Iterable<Uint8Array>;
}

export class PartialSnapshot {
  readonly #place: SnapshotPlace;
  readonly #directory: string;
  readonly #incoming: string;
  /** What is synced while other partitions still come. */
  readonly #syncing = new Map<string, Promise<void>>();
  readonly #syncInTurn = pLimit(1);

  private constructor(place: SnapshotPlace) {
    this.#place = place;
    this.#directory = join(place.out, `.${layout.snapshotName(place.timestamp)}.partial`);
    this.#incoming = join(this.#directory, "incoming");
  }

  /** Opens the partial directory, an earlier run's included. The caller holds the lock. */
  static async open(place: SnapshotPlace): Promise<PartialSnapshot> {
    const partial = new PartialSnapshot(place);
    await onDisk(`cannot prepare ${partial.#directory}`, async () => {
      await requireSafePlace(place.out);
      await requireOwnTree(partial.#directory, "to be removed");
      await removeOwn(partial.#incoming);
      await makeDirectories(partial.#incoming);
      // Some file systems have an owner and a mode of their own for everything.
      await requireOwnTree(partial.#directory, "to be removed");
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

  /** Free space of its disk; infinite where the file system does not say. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize, blocks } = await onDisk(`cannot look at ${this.#directory}`, () =>
      statfs(this.#directory),
    );
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  }

  /** Removes what came and was not accepted: on a full disk it would only be in the way. */
  async dropIncoming(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true });
  }

  /** Takes a verified preimage over as the partition's artifact. */
  async accept(partition: number, path: string): Promise<void> {
    const artifact = this.#artifact(partition);
    await onDisk(`cannot keep ${artifact}`, async () => {
      if (this.#place.compression === "none") {
        await rename(path, artifact);
        return;
      }
      try {
        await gzipFile(path, `${path}.gz`);
      } catch (error) {
        await rm(`${path}.gz`, { force: true });
        throw error;
      }
      await rename(`${path}.gz`, artifact);
      await rm(path);
    });
    this.#beginToSync(artifact);
  }

  /** Removes what came of a partition that is accepted already. */
  async discard(path: string): Promise<void> {
    await onDisk(`cannot remove ${path}`, () => rm(path, { force: true }));
  }

  /** What an earlier run left of a partition, if it has the agreed hash; anything else is removed. */
  async resume(partition: number, hash: string, hashKey: string): Promise<ArtifactScan | undefined> {
    const artifact = this.#artifact(partition);
    const stats = await onDisk(`cannot look at ${artifact}`, () => statsOf(artifact));
    if (stats === undefined) return undefined;
    requireOwner(artifact, stats, [process.getuid?.()]);
    const scan = isOwnFile(stats)
      ? await scanArtifact(artifact, this.#place.compression, hashKey).catch(() => undefined)
      : undefined;
    if (scan?.hash === hash) return scan;
    await onDisk(`cannot remove ${artifact}`, () => removeOwn(artifact));
    return undefined;
  }

  /** Writes what is missing of the snapshot, and syncs all of it. It is not in its place yet. */
  async complete(data: ExportData, size: StateSize, evidence: Evidence, run: object): Promise<Manifest> {
    const manifest = makeManifest(data, size, this.#place.compression);
    const text = manifestText(manifest);
    await onDisk(`cannot complete ${this.#directory}`, async () => {
      await rm(this.#incoming, { recursive: true, force: true });
      await this.#removeStrangers(manifest);
      const evidenceHashes = await this.#writeEvidence(evidence, data.hashKey);
      const files = {
        [layout.MANIFEST_FILE]: hashText(text, data.hashKey),
        [layout.EXPORT_DATA_FILE]: manifest.snapshot.digest,
        ...evidenceHashes,
      };
      await writeSynced(join(this.#directory, layout.RUN_FILE), runRecordText(run, files, data.hashKey));
      await writeSynced(join(this.#directory, layout.EXPORT_DATA_FILE), exportDataText(data));
      const artifacts = manifest.artifacts.map(([, file]) => join(this.#directory, file));
      await pLimit(SYNCS_AT_ONCE).map(
        artifacts,
        (artifact) => this.#syncing.get(artifact) ?? syncPath(artifact),
      );
      await writeSynced(join(this.#directory, layout.MANIFEST_FILE), text);
      await syncPath(this.#directory);
    });
    return manifest;
  }

  /** Puts the directory, which is complete, in its place. Returns that place. */
  async putInPlace(): Promise<string> {
    const directory = publishedPath(this.#place);
    await onDisk(`cannot publish ${directory}`, async () => {
      await requireOwnTree(this.#directory, "to be kept");
      await putInPlace(this.#directory, directory);
    });
    return directory;
  }

  #artifact(partition: number): string {
    return join(this.#directory, layout.artifactFile(partition, this.#place.compression));
  }

  #beginToSync(artifact: string): void {
    const syncing = this.#syncInTurn(() => syncPath(artifact));
    syncing.catch(() => undefined); // told when the snapshot is published
    this.#syncing.set(artifact, syncing);
  }

  /** An earlier run may have been of another size or compression. */
  async #removeStrangers(manifest: Manifest): Promise<void> {
    const known = new Set(manifest.artifacts.map(([, file]) => file));
    for (const name of await readdir(this.#directory)) {
      if (!known.has(name)) await removeOwn(join(this.#directory, name));
    }
  }

  /** Answers the hashes of what it wrote. */
  async #writeEvidence(evidence: Evidence, hashKey: string): Promise<FileHashes> {
    const directory = join(this.#directory, layout.EVIDENCE_DIRECTORY);
    await mkdir(directory, { mode: DIRECTORY_MODE });
    const hashes: Record<string, string> = {};
    for (const [file, content] of [
      [layout.NODE_LIST_FILE, [evidence.nodeList]],
      [layout.CYCLES_FILE, [evidence.cycles]],
      [layout.COUNTING_FILE, [Buffer.from(`${JSON.stringify(evidence.counting, null, 2)}\n`)]],
      [layout.NETCONFIG_FILE, evidence.netconfig === undefined ? undefined : [evidence.netconfig]],
      [layout.GOSSIP_FILE, evidence.gossip],
    ] as const) {
      if (content === undefined) continue;
      const hash = new RunningHash(hashKey);
      await writeSynced(join(this.#directory, file), hashed(content, hash));
      hashes[file] = hash.digest();
    }
    await syncPath(directory);
    return hashes;
  }
}

function* hashed(content: Iterable<Uint8Array>, hash: RunningHash): Generator<Uint8Array, void, void> {
  for (const bytes of content) {
    hash.update(bytes);
    yield bytes;
  }
}

/** @throws Failure `disk` where nothing can be published safely; a directory that is not there yet will be made */
export async function requirePlace(out: string): Promise<void> {
  await onDisk(`cannot look at ${out}`, () => requireSafePlace(out));
}

/** Where a snapshot is published. */
export function publishedPath(place: Pick<SnapshotPlace, "out" | "timestamp">): string {
  return join(place.out, layout.snapshotName(place.timestamp));
}

/**
 * Whether a snapshot is published there, right or not.
 *
 * @throws Failure `disk` where others may have written, or may yet write, to any of it
 */
export async function isPublished(place: Pick<SnapshotPlace, "out" | "timestamp">): Promise<boolean> {
  const directory = publishedPath(place);
  return await onDisk(`cannot look at ${directory}`, () => requireOwnTree(directory, "to be checked"));
}

/** The lock of whoever works on a snapshot. */
export function lockPath(place: Pick<SnapshotPlace, "out" | "timestamp">): string {
  return join(place.out, `.${layout.snapshotName(place.timestamp)}.lock`);
}

/** A directory cannot be renamed over a full one: the older snapshot steps aside, and is removed last. */
async function putInPlace(partial: string, published: string): Promise<void> {
  const replaced = replacedPath(published);
  if (await requireOwnTree(published, "to be removed")) await rename(published, replaced);
  await rename(partial, published);
  await syncPath(dirname(published));
  await removeOwn(replaced);
}

/** A run that was killed between the two renames has left the older snapshot aside. */
async function restoreReplaced(published: string): Promise<void> {
  const replaced = replacedPath(published);
  if (!(await requireOwnTree(replaced, "to be removed"))) return;
  if ((await statsOf(published)) !== undefined) await removeOwn(replaced);
  else await rename(replaced, published);
}

function replacedPath(published: string): string {
  return join(dirname(published), `.${published.slice(dirname(published).length + 1)}.replaced`);
}

async function onDisk<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof Failure ? error : diskFailure(doing, error);
  }
}
