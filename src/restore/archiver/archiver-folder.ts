/** The folder of an archiver's databases, and what says that an archiver uses it. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FetchError } from "../../errors/fetch-error.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { HttpClient } from "../../fetch/http/http-client.ts";
import { nodeInfoBytesMax, nodeInfoTimeoutMs } from "../../limits/restore.ts";
import { ARCHIVER_ACCOUNTS_FILE } from "../../store/archiver-accounts.ts";
import { statsOf } from "../../store/own-files.ts";
import { shownUrl } from "../../text/shown-url.ts";
import { performInChild } from "../restore-child.ts";

export const ARCHIVER_CYCLES_FILE = "cycles.sqlite3";

/** SQLite has these beside a database that is open, or was when its process died. */
const companions = ["-wal", "-shm", "-journal"];

export interface IdleOptions {
  /** The URL of the archiver, which must not answer. */
  readonly archiver?: string | undefined;
  /** Whether an archiver that seems to run has crashed. */
  readonly force?: boolean | undefined;
  /** Whether nothing is changed, not even the databases of a crashed archiver. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Requires that no archiver uses the folder. With `force`, the databases of a crashed one are completed and closed.
 *
 * @throws SnapshotError `configuration` if it is not a folder, `in-use` if an archiver runs
 */
export async function requireIdle(
  folder: string,
  { archiver, force, dryRun, signal }: IdleOptions,
): Promise<void> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    throw new SnapshotError("configuration", `${folder} is not a directory`, {
      hint: "Give the folder of the archiver's databases: ARCHIVER_DB, relative to the directory in which it starts.",
    });
  }
  if (archiver !== undefined && (await answers(archiver, signal))) {
    throw new SnapshotError("in-use", `the archiver at ${shownUrl(archiver)} is running`, {
      hint: "Stop it, wait until it has ended, and run again.",
    });
  }
  for (const path of [join(folder, ARCHIVER_ACCOUNTS_FILE), join(folder, ARCHIVER_CYCLES_FILE)]) {
    await requireIdleFile(path, { force, dryRun, signal });
  }
}

/**
 * As {@link requireIdle}, for one database.
 *
 * @throws SnapshotError `in-use`; `configuration` if it is not a regular file
 */
export async function requireIdleFile(path: string, { force, dryRun, signal }: IdleOptions): Promise<void> {
  const stats = await statsOf(path);
  // SQLite has its log beside the file that a link leads to, where nobody would look for it.
  if (stats?.isFile() === false) {
    const kind = stats.isSymbolicLink() ? "a symbolic link" : "not a regular file";
    throw new SnapshotError("configuration", `${path} is ${kind}`, {
      hint: "Give the folder in which the file itself is.",
    });
  }
  const isOpen = stats !== undefined && (await companionsOf(path)).length > 0;
  if (force === true && isOpen) {
    if (dryRun === true) return;
    await performInChild<"close">({ kind: "close", path }, { signal });
  }
  await requireClosed(path);
}

/** @throws SnapshotError `in-use` if there is a file that SQLite has beside an open database */
export async function requireClosed(path: string): Promise<void> {
  const [open] = await companionsOf(path);
  if (open === undefined) return;
  throw new SnapshotError("in-use", `${open} exists: an archiver has the database open, or has crashed`, {
    hint: "Stop the archiver and run again. If none is running, --force completes and closes the database.",
  });
}

async function companionsOf(path: string): Promise<string[]> {
  const files = companions.map((ending) => `${path}${ending}`);
  const found = await Promise.all(files.map(async (file) => (await statsOf(file)) !== undefined));
  return files.filter((_, index) => found[index]);
}

/** Returns whether an archiver answers. Whatever answers at its address is taken for it. */
async function answers(archiver: string, signal: AbortSignal | undefined): Promise<boolean> {
  const client = new HttpClient({ connectTimeoutMs: nodeInfoTimeoutMs, stallTimeoutMs: nodeInfoTimeoutMs });
  try {
    await client.whole(
      { url: `${archiver}/nodeInfo`, signal, deadlineMs: nodeInfoTimeoutMs },
      nodeInfoBytesMax,
    );
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof FetchError) return error.kind !== "unreachable";
    throw error;
  } finally {
    await client.close();
  }
}
