/**
 * The lock of a snapshot, which only one run can hold. It is SQLite's lock on an empty database file. The operating
 * system releases it when the process ends in any way, so no process ID is needed, which could be reused.
 */

import { randomInt } from "node:crypto";
import { chmod, lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import Database from "libsql";
import { diskError, SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";
import { quoted } from "../wire/parse.ts";
import { makeDirectories } from "./durable.ts";
import { removeOwn, requireOwn, requireSafeDirectory, statsOf } from "./own-files.ts";

const attempts = 10;
const LOCK_MODE = 0o600;

/** A host name has at most 255 characters; the rest of the text is short. */
const holderBytesMax = 1_024;

export interface RunLock {
  /**
   * Releases the lock. Never throws, because the result of the run matters more.
   *
   * @returns why the files of the lock could not be removed, if that failed; they do not affect other runs
   */
  release(): Promise<SnapshotError | undefined>;
}

/** Takes SQLite's exclusive lock on an open database, or throws SQLite's error. */
export type TakeLock = (database: Database.Database) => void;

/** Takes the lock without a journal file: the database stays empty, so a journal has no use. */
export const takeExclusive: TakeLock = (database) => {
  // `pragma()` would keep a statement, which would keep the file open and locked after the close.
  database.exec("PRAGMA journal_mode = MEMORY");
  database.exec("BEGIN EXCLUSIVE");
  // SQLite cannot lock a file that it could open only for reading, and BEGIN does not report this. A change does; it is
  // never committed.
  database.exec("PRAGMA user_version = 1");
};

/**
 * @param path the lock file, which need not exist
 * @throws SnapshotError `locked` if another run holds the lock, `disk` if it cannot be taken for another reason
 */
export async function acquireRunLock(path: string, take: TakeLock = takeExclusive): Promise<RunLock> {
  try {
    await makeDirectories(dirname(path));
    await requireSafeDirectory(dirname(path));
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const database = await tryLock(path, take, attempt === attempts);
      if (database === undefined) continue;
      try {
        await writeHolder(path);
      } catch (error) {
        // The holder file is that of another run, and is not removed.
        await release([path], path, database);
        throw error;
      }
      return { release: () => release([holderPath(path), path], path, database) };
    }
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(`cannot lock ${path}`, error);
  }
  throw await lockedError(path);
}

async function writeHolder(path: string): Promise<void> {
  const file = holderPath(path);
  const holder = `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}`;
  try {
    await removeOwn(file);
    await writeFile(file, holder, { flag: "wx", mode: LOCK_MODE });
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(`cannot write ${file}`, error);
  }
}

async function release(
  files: readonly string[],
  path: string,
  database: Database.Database,
): Promise<SnapshotError | undefined> {
  try {
    // Removed while locked: a run that has opened the file notices by its inode that it was replaced.
    for (const file of files) await rm(file, { force: true });
    for (const file of await strayFiles(path)) await removeOwn(file);
    return undefined;
  } catch (error) {
    return diskError("cannot remove the lock", error);
  } finally {
    database.close();
  }
}

/** Files that killed runs have left beside the lock: probes, and SQLite's journals of both. */
async function strayFiles(path: string): Promise<string[]> {
  const [directory, lock] = [dirname(path), basename(path)];
  return (await readdir(directory))
    .filter(
      (name) => name.startsWith(lock) && /^(?:\.probe-[0-9]+)?(?:-journal)?$/.test(name.slice(lock.length)),
    )
    .filter((name) => name !== lock)
    .map((name) => join(directory, name));
}

/** Returns the file that names the holder of the lock. */
function holderPath(path: string): string {
  return `${path}.holder`;
}

/**
 * Returns the locked database; `undefined` if the attempt must be repeated, because the file was replaced meanwhile, or
 * could not be opened or read although other files can be.
 */
async function tryLock(
  path: string,
  take: TakeLock,
  isLast: boolean,
): Promise<Database.Database | undefined> {
  await makeLockFile(path);
  const before = await inodeOf(path);
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { timeout: 0 });
    take(database);
  } catch (error) {
    database?.close();
    const code = sqliteCodeOf(error);
    if (database === undefined || /^SQLITE_(?:CANTOPEN|IOERR|READONLY)/.test(code)) {
      await requireOpens(path);
      if (isLast) throw error;
      return undefined;
    }
    if (code.startsWith("SQLITE_BUSY")) {
      await requireLocks(path, take);
      throw await lockedError(path);
    }
    if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) throw notOurLock(path, error);
    throw error;
  }
  // If the holder released the lock meanwhile, it has removed the file, and other runs would lock a new one.
  if (before !== undefined && before === (await inodeOf(path))) return database;
  database.close();
  return undefined;
}

/**
 * Finds out why SQLite cannot open or read a file, which it does not report, by opening another file beside it.
 *
 * @throws the system's error, if the other file cannot be opened either
 */
async function requireOpens(path: string): Promise<void> {
  const probe = probePath(path);
  await writeFile(probe, "", { flag: "wx", mode: LOCK_MODE });
  await rm(probe, { force: true });
}

/**
 * Finds out whether the file system supports locks: without them (ENOLCK), SQLite reports "busy" as well. The check
 * locks a new file.
 *
 * @throws SnapshotError `disk` if the new file cannot be locked either
 */
async function requireLocks(path: string, take: TakeLock): Promise<void> {
  const probe = probePath(path);
  try {
    await writeFile(probe, "", { flag: "wx", mode: LOCK_MODE });
  } catch {
    return; // the check is not possible, so locks are assumed to work
  }
  const database = new Database(probe, { timeout: 0 });
  try {
    take(database);
  } catch (error) {
    throw new SnapshotError("disk", `the file system of ${dirname(path)} does not support locks`, {
      cause: error,
      hint: "Give a directory on a local file system with --out, or mount this one with support for locks.",
    });
  } finally {
    database.close();
    await rm(probe, { force: true });
  }
}

function probePath(path: string): string {
  return `${path}.probe-${randomInt(2 ** 40)}`;
}

function notOurLock(path: string, cause: unknown): SnapshotError {
  return new SnapshotError("disk", `${path} is not a lock of this program: it has other contents`, {
    cause,
    hint: `Find out what wrote it, remove ${path}, and run again.`,
  });
}

function sqliteCodeOf(error: unknown): string {
  return systemCodeOf(error) ?? "";
}

/**
 * Makes the lock file accessible only to this user: a user who can open the file, even for reading, could hold the
 * lock. An existing file is not opened, because closing it would release the lock of another run in this process.
 */
async function makeLockFile(path: string): Promise<void> {
  const stats = await statsOf(path);
  if (stats === undefined) {
    await writeFile(path, "", { flag: "wx", mode: LOCK_MODE }).catch((error) => {
      if (systemCodeOf(error) !== "EEXIST") throw error; // another run is making it
    });
    return;
  }
  requireOwn(path, stats, "file");
  if (stats.nlink !== 1) {
    throw new SnapshotError("disk", `${path} has ${stats.nlink} hard links; remove this one`, {
      hint: "A lock file must have no other name.",
    });
  }
  if ((stats.mode & 0o777) !== LOCK_MODE) await chmod(path, LOCK_MODE);
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  return stats?.ino;
}

async function lockedError(path: string): Promise<SnapshotError> {
  const holder = await holderOf(holderPath(path)).catch(() => undefined);
  return new SnapshotError(
    "locked",
    `another run is working on this snapshot: ${holder ?? "another process"}`,
    {
      hint: "Wait for it to end, or give another directory with --out.",
    },
  );
}

/** Reads a holder file if it has the size and kind of one. */
async function holderOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path);
  return stats.isFile() && stats.size <= holderBytesMax ? quoted(await readFile(path, "utf8")) : undefined;
}
