/**
 * Sees to it that a verified snapshot has an index, beside its directory: the snapshot itself contains only what proves it.
 * An index is written under another name, synced and renamed, so its name never leads to a part of one.
 */

import { rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { diskError, SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { makeDirectories, syncPath } from "../../store/durable.ts";
import { removeOwn, requireOwn, statsOf } from "../../store/own-files.ts";
import { acquireRunLock } from "../../store/run-lock.ts";
import type { IndexedSnapshot } from "./build-index.ts";
import { IndexProcessError, performOnIndex } from "./index-child.ts";

export interface IndexPlace {
  /** The directory of the snapshot. */
  readonly directory: string;
  /** Where the index is; beside the directory by default. */
  readonly indexDirectory?: string | undefined;
}

export interface EnsureIndexOptions {
  /** Called before an index is built, with the reason. */
  readonly onBuild?: (path: string, reason: string) => void;
  /** Called with the number of accounts so far. */
  readonly onProgress?: (accounts: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the name of a snapshot's index. */
export function indexPath({ directory, indexDirectory }: IndexPlace): string {
  const snapshot = resolve(directory);
  return join(indexDirectory ?? dirname(snapshot), `${basename(snapshot)}.index.sqlite3`);
}

/**
 * Returns the path of the snapshot's index, after building it if it is missing, damaged, or that of another snapshot or
 * version.
 *
 * @throws SnapshotError as `buildIndex`; `in-use` if another process builds it
 */
export async function ensureIndex(
  place: IndexPlace,
  snapshot: IndexedSnapshot,
  options: EnsureIndexOptions = {},
): Promise<string> {
  const path = indexPath(place);
  const reason = await problemOf(path, snapshot.digest, options);
  if (reason === undefined) return path;
  await makeDirectories(dirname(path)).catch((error: unknown) => {
    throw notWritable(path, error);
  });
  const lock = await acquireRunLock(`${path}.lock`).catch((error: unknown) => {
    throw error instanceof SnapshotError && error.code === "locked"
      ? inUse(path, error)
      : notWritable(path, error);
  });
  try {
    // Another process may have built it meanwhile.
    const stillWrong = await problemOf(path, snapshot.digest, options);
    if (stillWrong !== undefined) await build(path, snapshot, stillWrong, options);
  } finally {
    await lock.release();
  }
  return path;
}

async function problemOf(
  path: string,
  digest: string,
  { signal }: EnsureIndexOptions,
): Promise<string | undefined> {
  const stats = await statsOf(path);
  if (stats === undefined) return "there is none yet";
  // Another user could have it point to other accounts.
  requireOwn(path, stats, "file");
  try {
    const child = { scratchDirectory: dirname(path), signal };
    return (await performOnIndex<"check">({ kind: "check", path, digest }, child)) ?? undefined;
  } catch (error) {
    if (error instanceof IndexProcessError) return "it is damaged: reading it ended the process";
    throw error;
  }
}

async function build(
  path: string,
  snapshot: IndexedSnapshot,
  reason: string,
  { onBuild, onProgress, signal }: EnsureIndexOptions,
): Promise<void> {
  onBuild?.(path, reason);
  // The lock is held, so what has this name was left by a build that was killed.
  const unfinished = `${path}.building`;
  await removeOwn(unfinished);
  try {
    const child = { scratchDirectory: dirname(path), signal, ...(onProgress && { onProgress }) };
    await performOnIndex<"build">({ kind: "build", path: unfinished, snapshot }, child);
    await rename(unfinished, path);
    await syncPath(dirname(path));
  } catch (error) {
    await rm(unfinished, { force: true });
    if (error instanceof IndexProcessError) throw endedEarly(path);
    throw error instanceof SnapshotError || signal?.aborted === true
      ? error
      : diskError(`cannot build ${path}`, error);
  }
}

const elsewhere = "Give a directory for it that this user may write to with --index-dir.";

function notWritable(path: string, cause: unknown): SnapshotError {
  if (systemCodeOf(cause) === undefined && cause instanceof SnapshotError) return cause;
  const error = diskError(`cannot build ${path}`, cause);
  return new SnapshotError(error.code, error.message, { cause, hint: elsewhere });
}

function inUse(path: string, cause: unknown): SnapshotError {
  return new SnapshotError("in-use", `another process builds ${path}`, {
    cause,
    hint: "Wait for it to end, and run again.",
  });
}

function endedEarly(path: string): SnapshotError {
  return new SnapshotError("disk", `the process that should build ${path} ended before it was done`, {
    hint: "Check the disk and the memory of this machine, and run again.",
  });
}
