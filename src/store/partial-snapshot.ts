/**
 * A snapshot that is being assembled: a directory that collects verified artifacts, and is renamed to the published
 * snapshot in one step when it is complete (FORMAT.md, All or nothing).
 */

import { constants } from "node:fs";
import { copyFile, link, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { isReadError, type SnapshotError } from "../errors/snapshot-error.ts";
import { type ArtifactScan, artifactFile, type Compression } from "../format/artifact.ts";
import type { Evidence } from "../format/evidence/evidence.ts";
import type { ExportData } from "../format/export-data.ts";
import { type Manifest, makeManifest, type StateSize } from "../format/manifest.ts";
import { PARTIAL_FILE, partialInfoText } from "../format/partial-info.ts";
import type { FileHashes, RunRecord } from "../format/run-record.ts";
import { partitionBytesMax, unconfirmedDiskShare } from "../limits/sync.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { DEFAULT_HASH_KEY, RunningHash } from "../protocol/crypto/hash.ts";
import { gzipFile, readArtifact } from "./artifact-file.ts";
import { beginningsIn, EARLIER_DIRECTORY, INCOMING_DIRECTORY, keepBeginnings } from "./beginnings.ts";
import { makeDirectories, syncPath } from "./durable.ts";
import { copyPlain, type ForeignArtifact, shareFile } from "./foreign-artifact.ts";
import {
  FILE_MODE,
  isChangedByOwnerOnly,
  isOwnFile,
  removeOwn,
  requireOwner,
  requireOwnTree,
  requireSafeDirectory,
  statsOf,
} from "./own-files.ts";
import { scanArtifact } from "./scan-artifact.ts";
import { writeSmallFiles } from "./small-files.ts";
import {
  partialPath,
  publishedPath,
  putInPlace,
  restoreReplaced,
  type SnapshotLocation,
  withDiskErrors,
} from "./snapshot-place.ts";

/** What a response gives of a partition. The beginning of a whole one is of use to the next run. */
export type IncomingContent = "whole" | "rest";

const compressions = ["none", "gzip"] as const;

export interface SnapshotTarget extends SnapshotLocation {
  readonly compression: Compression;
  /** 64 hex digits. */
  readonly hashKey?: string | undefined;
  /** Without the global partition. */
  readonly numPartitions: number;
}

export class PartialSnapshot {
  readonly #place: SnapshotTarget;
  readonly #directory: string;
  readonly #incoming: string;
  readonly #hashKey: string;
  /** Syncs that run while other partitions still arrive, by path. */
  readonly #syncing = new Map<string, Promise<void>>();
  readonly #syncInTurn = pLimit(1);
  /** Compressed artifact → hash of its bytes. */
  readonly #fileHashes = new Map<string, string>();

  private constructor(place: SnapshotTarget) {
    this.#place = place;
    this.#hashKey = place.hashKey ?? DEFAULT_HASH_KEY;
    this.#directory = partialPath(place);
    this.#incoming = join(this.#directory, INCOMING_DIRECTORY);
  }

  /** Opens the partial directory, which may be that of an earlier run. The caller holds the lock. */
  static async open(place: SnapshotTarget): Promise<PartialSnapshot> {
    const partial = new PartialSnapshot(place);
    await withDiskErrors(`cannot prepare ${partial.#directory}`, async () => {
      await requireSafeDirectory(place.out);
      await requireOwnTree(partial.#directory, "to be removed");
      await keepBeginnings(partial.#directory);
      await makeDirectories(partial.#incoming);
      const { timestamp, numPartitions } = place;
      const info = join(partial.#directory, PARTIAL_FILE);
      await removeOwn(info);
      await writeFile(info, partialInfoText({ timestamp, numPartitions }), { flag: "wx", mode: FILE_MODE });
      // Some file systems assign a fixed owner and mode to all files.
      await requireOwnTree(partial.#directory, "to be removed");
      await restoreReplaced(place);
    });
    return partial;
  }

  get directory(): string {
    return this.#directory;
  }

  get timestamp(): number {
    return this.#place.timestamp;
  }

  /** Returns the file that a partition of one response is written to while it arrives. */
  incomingPath(response: number, partition: Partition, content: IncomingContent = "whole"): string {
    return join(this.#incoming, `${response}-${partition}.${content}.json`);
  }

  /** Returns the free space of the disk; infinite if the file system does not report it. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize, blocks } = await withDiskErrors(`cannot examine ${this.#directory}`, () =>
      statfs(this.#directory),
    );
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  }

  /** Removes what was received and not accepted, the beginnings of partitions included, to free space on a full disk. */
  async dropIncoming(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true });
    await rm(join(this.#directory, EARLIER_DIRECTORY), { recursive: true, force: true });
  }

  /** Returns the beginnings of partitions that earlier runs received, by partition. Nothing about them is checked. */
  async earlierBeginnings(): Promise<ReadonlyMap<Partition, string>> {
    return await withDiskErrors(`cannot look at ${this.#directory}`, () => beginningsIn(this.#directory));
  }

  /** Makes a verified preimage the partition's artifact. */
  async accept(partition: Partition, path: string): Promise<void> {
    const artifact = this.#artifact(partition);
    await withDiskErrors(`cannot keep ${artifact}`, async () => {
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

  /** Removes a received file of a partition that is already accepted. */
  async discard(path: string): Promise<void> {
    await withDiskErrors(`cannot remove ${path}`, () => rm(path, { force: true }));
  }

  /** Keeps the artifact of an earlier run if it has the agreed hash, and removes it otherwise. */
  async resume(partition: Partition, hash: HashHex): Promise<ArtifactScan | undefined> {
    const artifact = this.#artifact(partition);
    const stats = await withDiskErrors(`cannot examine ${artifact}`, () => statsOf(artifact));
    if (stats === undefined) return undefined;
    requireOwner(artifact, stats, [process.getuid?.()]);
    const scan = isOwnFile(stats) ? await this.#scan(artifact, this.#place.compression) : undefined;
    if (scan?.hash === hash) {
      this.#keepFileHash(partition, scan);
      return scan;
    }
    await withDiskErrors(`cannot remove ${artifact}`, () => removeOwn(artifact));
    return undefined;
  }

  /**
   * Reuses the artifact of the published snapshot if it has the agreed hash. The published snapshot is not changed. The
   * caller has checked that it belongs to this user.
   *
   * @param listed the hashes of the published files: a compressed file with another hash is compressed again
   */
  async takeOver(
    partition: Partition,
    hash: HashHex,
    listed: FileHashes = {},
  ): Promise<ArtifactScan | undefined> {
    for (const compression of compressions) {
      const file = artifactFile(partition, compression);
      const published = join(publishedPath(this.#place), file);
      const stats = await withDiskErrors(`cannot examine ${published}`, () => statsOf(published));
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

  /**
   * Takes over the artifact of another snapshot if it has the agreed hash. The other snapshot is not changed. What is
   * hashed is what is kept, so that the other snapshot may change or vanish meanwhile.
   *
   * @returns `undefined` if it has another hash, or cannot be read
   */
  async adopt(
    partition: Partition,
    hash: string,
    { path, compression }: ForeignArtifact,
  ): Promise<ArtifactScan | undefined> {
    const stats = await statsOf(path).catch(() => undefined);
    if (stats?.isFile() !== true) return undefined;
    const copy = this.incomingPath(0, partition, "rest");
    const isPlain = compression === "none" && this.#place.compression === "none";
    if (!(isPlain && isChangedByOwnerOnly(stats) && (await shareFile(path, copy)))) {
      const bytesMax = Math.min(partitionBytesMax, unconfirmedDiskShare * (await this.freeBytes()));
      if (!(await copyPlain({ path, compression }, copy, bytesMax))) return undefined;
    }
    // A seed on a broken disk is of no use, and the run does not need it.
    const scan = await scanArtifact(copy, "none", this.#hashKey).catch(() => undefined);
    if (scan?.hash === hash) {
      await this.accept(partition, copy);
      return scan;
    }
    await this.discard(copy);
    return undefined;
  }

  /** Returns `undefined` for a damaged file. Errors of reading are not about its content, and are thrown. */
  async #scan(path: string, compression: Compression) {
    try {
      return await scanArtifact(path, compression, this.#hashKey);
    } catch (error) {
      if (isReadError(error)) await withDiskErrors(`cannot read ${path}`, () => Promise.reject(error));
      return undefined;
    }
  }

  /**
   * Shares the blocks of another artifact or links it, which takes no disk space, or copies it where the file system can
   * do neither.
   */
  async #linkOrCopy(published: string, partition: Partition): Promise<void> {
    const artifact = this.#artifact(partition);
    const copy = this.incomingPath(0, partition);
    await withDiskErrors(`cannot reuse ${published}`, async () => {
      try {
        await copyFile(published, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
        await rename(copy, artifact);
      } catch {
        await rm(copy, { force: true });
        try {
          await link(published, artifact);
        } catch {
          await copyFile(published, copy, constants.COPYFILE_EXCL);
          await rename(copy, artifact);
        }
      }
    });
    this.#beginToSync(artifact);
  }

  async #convert(published: string, compression: Compression, partition: Partition): Promise<void> {
    const plain = this.incomingPath(0, partition);
    const text = readArtifact(published, compression);
    await withDiskErrors(`cannot write ${plain}`, () =>
      writeFile(plain, text, { flag: "wx", mode: FILE_MODE }),
    );
    await this.accept(partition, plain);
  }

  /** Writes the small files of the snapshot and syncs all files. The snapshot is not published yet. */
  async complete(data: ExportData, size: StateSize, evidence: Evidence, run: RunRecord): Promise<Manifest> {
    const manifest = makeManifest(data, size, this.#place.compression);
    await withDiskErrors(`cannot complete ${this.#directory}`, async () => {
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
   * Publishes the complete directory.
   *
   * @param onLeftover called with the error if the replaced snapshot could not be removed
   * @returns the path of the published snapshot
   */
  async putInPlace(onLeftover?: (problem: SnapshotError) => void): Promise<string> {
    const leftover = await putInPlace(this.#place);
    if (leftover !== undefined) onLeftover?.(leftover);
    return publishedPath(this.#place);
  }

  #artifact(partition: Partition): string {
    return join(this.#directory, this.#file(partition));
  }

  #file(partition: Partition): string {
    return artifactFile(partition, this.#place.compression);
  }

  #keepFileHash(partition: Partition, { fileHash }: ArtifactScan): void {
    if (fileHash !== undefined) this.#fileHashes.set(this.#file(partition), fileHash);
  }

  #beginToSync(artifact: string): void {
    const syncing = this.#syncInTurn(() => syncPath(artifact));
    syncing.catch(() => undefined); // complete() awaits it and throws its error
    this.#syncing.set(artifact, syncing);
  }
}
