/**
 * A snapshot while it is made: a directory beside its place, in which verified artifacts gather, and which
 * takes its place in one step when it is complete (FORMAT.md, All or nothing).
 */

import { copyFile, link, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { isReadError, type SnapshotError } from "../errors/snapshot-error.ts";
import { type ArtifactScan, artifactFile, type Compression } from "../format/artifact.ts";
import type { Evidence } from "../format/evidence/evidence.ts";
import type { ExportData } from "../format/export-data.ts";
import { type Manifest, makeManifest, type StateSize } from "../format/manifest.ts";
import type { FileHashes, RunRecord } from "../format/run-record.ts";
import { DEFAULT_HASH_KEY, RunningHash } from "../protocol/crypto/hash.ts";
import { gzipFile, makeDirectories, readArtifact, syncPath } from "./durable.ts";
import {
  FILE_MODE,
  isOwnFile,
  removeOwn,
  requireOwner,
  requireOwnTree,
  requireSafePlace,
  statsOf,
} from "./own-files.ts";
import { scanArtifact } from "./scan-artifact.ts";
import { writeSmallFiles } from "./small-files.ts";
import {
  onDisk,
  partialPath,
  publishedPath,
  putInPlace,
  restoreReplaced,
  type SnapshotSpot,
} from "./snapshot-place.ts";

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

  /** Where a partition of one response is written while it comes. */
  incomingPath(response: number, partition: number): string {
    return join(this.#incoming, `${response}-${partition}.json`);
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
    await onDisk(`cannot complete ${this.#directory}`, async () => {
      await rm(this.#incoming, { recursive: true, force: true });
      await writeSmallFiles(
        this.#directory,
        { manifest, data, evidence, run },
        { hashes: this.#fileHashes, sync: (artifact) => this.#syncing.get(artifact) ?? syncPath(artifact) },
      );
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

  #beginToSync(artifact: string): void {
    const syncing = this.#syncInTurn(() => syncPath(artifact));
    syncing.catch(() => undefined); // told when the snapshot is published
    this.#syncing.set(artifact, syncing);
  }
}
