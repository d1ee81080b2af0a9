/**
 * A snapshot while it is made: a directory beside its place, in which verified artifacts gather, and which
 * takes its place in one step when it is complete (FORMAT.md, All or nothing).
 */

import { copyFile, link, mkdir, readdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { isReadError, type SnapshotError } from "../errors/snapshot-error.ts";
import { type ArtifactScan, artifactFile, type Compression } from "../format/artifact.ts";
import { type Evidence, evidenceFiles } from "../format/evidence/evidence.ts";
import { EXPORT_DATA_FILE, type ExportData, exportDataText } from "../format/export-data.ts";
import {
  MANIFEST_FILE,
  type Manifest,
  makeManifest,
  manifestText,
  type StateSize,
} from "../format/manifest.ts";
import { type FileHashes, RUN_FILE, type RunRecord, runRecordText } from "../format/run-record.ts";
import { EVIDENCE_DIRECTORY } from "../format/snapshot-names.ts";
import { DEFAULT_HASH_KEY, hashText, RunningHash } from "../protocol/crypto/hash.ts";
import { gzipFile, makeDirectories, readArtifact, syncPath, writeSynced } from "./durable.ts";
import {
  DIRECTORY_MODE,
  FILE_MODE,
  isOwnFile,
  removeOwn,
  requireOwner,
  requireOwnTree,
  requireSafePlace,
  statsOf,
} from "./own-files.ts";
import { scanArtifact } from "./scan-artifact.ts";
import {
  onDisk,
  partialPath,
  publishedPath,
  putInPlace,
  restoreReplaced,
  type SnapshotSpot,
} from "./snapshot-place.ts";

/** Files that are synced at once: one while partitions still come, which need the disk as well; in the end
 *  several, which the disk orders better than we do. */
const SYNCS_AT_ONCE = 8;

const compressions = ["none", "gzip"] as const;

export interface SnapshotPlace extends SnapshotSpot {
  readonly compression: Compression;
  /** 64 hex digits. */
  readonly hashKey?: string | undefined;
}

export class PartialSnapshot {
  readonly #place: SnapshotPlace;
  readonly #directory: string;
  readonly #incoming: string;
  readonly #hashKey: string;
  /** What is synced while other partitions still come. */
  readonly #syncing = new Map<string, Promise<void>>();
  readonly #syncInTurn = pLimit(1);
  /** Compressed artifact → hash of its bytes. */
  readonly #fileHashes = new Map<string, string>();

  private constructor(place: SnapshotPlace) {
    this.#place = place;
    this.#hashKey = place.hashKey ?? DEFAULT_HASH_KEY;
    this.#directory = partialPath(place);
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
      await restoreReplaced(place);
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
      const fileHash = new RunningHash(this.#hashKey);
      try {
        await gzipFile(path, `${path}.gz`, fileHash);
      } catch (error) {
        await rm(`${path}.gz`, { force: true });
        throw error;
      }
      await rename(`${path}.gz`, artifact);
      this.#fileHashes.set(this.#file(partition), fileHash.digest());
      await rm(path);
    });
    this.#beginToSync(artifact);
  }

  /** Removes what came of a partition that is accepted already. */
  async discard(path: string): Promise<void> {
    await onDisk(`cannot remove ${path}`, () => rm(path, { force: true }));
  }

  /** What an earlier run left of a partition, if it has the agreed hash; anything else is removed. */
  async resume(partition: number, hash: string): Promise<ArtifactScan | undefined> {
    const artifact = this.#artifact(partition);
    const stats = await onDisk(`cannot look at ${artifact}`, () => statsOf(artifact));
    if (stats === undefined) return undefined;
    requireOwner(artifact, stats, [process.getuid?.()]);
    const scan = isOwnFile(stats) ? await this.#scan(artifact, this.#place.compression) : undefined;
    if (scan?.hash === hash) {
      this.#keepFileHash(partition, scan);
      return scan;
    }
    await onDisk(`cannot remove ${artifact}`, () => removeOwn(artifact));
    return undefined;
  }

  /**
   * Takes a partition over from the snapshot that is published, if its artifact there has the agreed hash. The
   * published snapshot stays as it is. The caller has checked that it is our own.
   *
   * @param listed the hashes of the published files: a compressed one whose bytes are not those that were written is
   *   compressed again, whatever it decompresses to
   */
  async takeOver(
    partition: number,
    hash: string,
    listed: FileHashes = {},
  ): Promise<ArtifactScan | undefined> {
    for (const compression of compressions) {
      const file = artifactFile(partition, compression);
      const published = join(publishedPath(this.#place), file);
      const stats = await onDisk(`cannot look at ${published}`, () => statsOf(published));
      if (stats?.isFile() !== true) continue;
      const scan = await this.#scan(published, compression);
      if (scan?.hash !== hash) continue;
      const isAsWritten = scan.fileHash === undefined || scan.fileHash === listed[file];
      if (compression === this.#place.compression && isAsWritten) {
        await this.#linkOrCopy(published, partition);
        this.#keepFileHash(partition, scan);
      } else await this.#convert(published, compression, partition);
      return scan;
    }
    return undefined;
  }

  /** Nothing where it is damaged. An error of reading is none of its contents, and is thrown. */
  async #scan(path: string, compression: Compression) {
    try {
      return await scanArtifact(path, compression, this.#hashKey);
    } catch (error) {
      if (isReadError(error)) await onDisk(`cannot read ${path}`, () => Promise.reject(error));
      return undefined;
    }
  }

  /** A second name costs no space on the disk; some file systems know none. */
  async #linkOrCopy(published: string, partition: number): Promise<void> {
    const artifact = this.#artifact(partition);
    await onDisk(`cannot take over ${published}`, async () => {
      try {
        await link(published, artifact);
      } catch {
        const copy = this.incomingPath(0, partition);
        await copyFile(published, copy);
        await rename(copy, artifact);
      }
    });
    this.#beginToSync(artifact);
  }

  async #convert(published: string, compression: Compression, partition: number): Promise<void> {
    const plain = this.incomingPath(0, partition);
    const text = readArtifact(published, compression);
    await onDisk(`cannot write ${plain}`, () => writeFile(plain, text, { flag: "wx", mode: FILE_MODE }));
    await this.accept(partition, plain);
  }

  /** Writes what is missing of the snapshot, and syncs all of it. It is not in its place yet. */
  async complete(data: ExportData, size: StateSize, evidence: Evidence, run: RunRecord): Promise<Manifest> {
    const manifest = makeManifest(data, size, this.#place.compression);
    const text = manifestText(manifest);
    await onDisk(`cannot complete ${this.#directory}`, async () => {
      await rm(this.#incoming, { recursive: true, force: true });
      await this.#removeStrangers(manifest);
      const evidenceHashes = await this.#writeEvidence(evidence, data.hashKey);
      const files = {
        [MANIFEST_FILE]: hashText(text, data.hashKey),
        [EXPORT_DATA_FILE]: manifest.snapshot.digest,
        ...evidenceHashes,
        ...this.#artifactHashes(manifest),
      };
      await writeSynced(join(this.#directory, RUN_FILE), runRecordText(run, files, data.hashKey));
      await writeSynced(join(this.#directory, EXPORT_DATA_FILE), exportDataText(data));
      const artifacts = manifest.artifacts.map(([, file]) => join(this.#directory, file));
      await pLimit(SYNCS_AT_ONCE).map(
        artifacts,
        (artifact) => this.#syncing.get(artifact) ?? syncPath(artifact),
      );
      await writeSynced(join(this.#directory, MANIFEST_FILE), text);
      await syncPath(this.#directory);
    });
    return manifest;
  }

  /**
   * Puts the directory, which is complete, in its place.
   *
   * @param onLeftover is told why what was there before could not be removed, where it could not
   * @returns that place
   */
  async putInPlace(onLeftover?: (problem: SnapshotError) => void): Promise<string> {
    const leftover = await putInPlace(this.#place);
    if (leftover !== undefined) onLeftover?.(leftover);
    return publishedPath(this.#place);
  }

  #artifact(partition: number): string {
    return join(this.#directory, this.#file(partition));
  }

  #file(partition: number): string {
    return artifactFile(partition, this.#place.compression);
  }

  #keepFileHash(partition: number, { fileHash }: ArtifactScan): void {
    if (fileHash !== undefined) this.#fileHashes.set(this.#file(partition), fileHash);
  }

  /** Of compressed artifacts: what the export data say of the text, does not tell its compressed bytes. */
  #artifactHashes({ artifacts }: Manifest): FileHashes {
    const files = artifacts.map(([, file]) => [file, this.#fileHashes.get(file)] as const);
    return Object.fromEntries(files.filter((entry): entry is [string, string] => entry[1] !== undefined));
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

  /** Returns the hashes of what it wrote. */
  async #writeEvidence(evidence: Evidence, hashKey: string): Promise<FileHashes> {
    const directory = join(this.#directory, EVIDENCE_DIRECTORY);
    await mkdir(directory, { mode: DIRECTORY_MODE });
    const hashes: Record<string, string> = {};
    for (const { file, content } of evidenceFiles(evidence)) {
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
