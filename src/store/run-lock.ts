/**
 * One run at a time for one snapshot. The lock is SQLite's on an empty database file, which the operating
 * system takes back when its process dies, however it dies: no process ID to be mistaken about.
 */

import { randomInt } from "node:crypto";
import { chmod, lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import Database from "libsql";
import { diskError, SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";
import { quoted } from "../wire/parse.ts";
import { makeDirectories } from "./durable.ts";
import { removeOwn, requireOwn, requireSafePlace, statsOf } from "./own-files.ts";

const attempts = 10;
const LOCK_MODE = 0o600;

/** A host name has at most 255 characters; the rest is short. */
const holderBytesMax = 1_024;

export interface RunLock {
  /**
   * Never throws, since what its holder did matters more.
   *
   * @returns why the files of the lock could not be removed, where that failed: they are in nobody's way
   */
  release(): Promise<SnapshotError | undefined>;
}

/** Takes SQLite's exclusive lock on an open database, or throws its error. */
export type TakeLock = (database: Database.Database) => void;

/** Nothing is ever written to the file: a journal would only be one more file to fail, and to be left behind. */
export const takeExclusive: TakeLock = (database) => {
  // Not by `pragma`: its statement would keep the file open, and locked, beyond the close.
  database.exec("PRAGMA journal_mode = MEMORY");
  database.exec("BEGIN EXCLUSIVE");
  // A file that SQLite could open only to read has no exclusive lock, and BEGIN does not say so. A change does, which
  // is never committed.
  database.exec("PRAGMA user_version = 1");
};

/**
 * @param path the lock file, which need not exist
 * @throws SnapshotError `locked` where another run holds it, `disk` where it cannot be had at all
 */
export async function acquireRunLock(path: string, take: TakeLock = takeExclusive): Promise<RunLock> {
  try {
    await makeDirectories(dirname(path));
    await requireSafePlace(dirname(path));
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const database = await tryLock(path, take, attempt === attempts);
      if (database === undefined) continue;
      try {
        await writeHolder(path);
      } catch (error) {
        // What stands in the holder's place is not ours.
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
    // Removed while it is held: whoever opened it meanwhile sees that it is another file by then.
    for (const file of files) await rm(file, { force: true });
    for (const file of await strayFiles(path)) await removeOwn(file);
    return undefined;
  } catch (error) {
    return diskError("cannot remove the lock", error);
  } finally {
    database.close();
  }
}

/** What runs that were killed have left beside the lock: their probes, and SQLite's journals of either. */
async function strayFiles(path: string): Promise<string[]> {
  const [directory, lock] = [dirname(path), basename(path)];
  return (await readdir(directory))
    .filter(
      (name) => name.startsWith(lock) && /^(?:\.probe-[0-9]+)?(?:-journal)?$/.test(name.slice(lock.length)),
    )
    .filter((name) => name !== lock)
    .map((name) => join(directory, name));
}

/** Says who holds the lock. */
function holderPath(path: string): string {
  return `${path}.holder`;
}

/**
 * The open lock; `undefined` where the file was replaced under us, or could not be opened or read although others
 * can be, and it must be tried again.
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
  // A holder that released it meanwhile has removed the file: others would then lock another one.
  if (before !== undefined && before === (await inodeOf(path))) return database;
  database.close();
  return undefined;
}

/**
 * SQLite says that it cannot open or read a file, and not why: the system says why of another one beside it.
 *
 * @throws the system's error, where that cannot be opened either
 */
async function requireOpens(path: string): Promise<void> {
  const probe = probePath(path);
  await writeFile(probe, "", { flag: "wx", mode: LOCK_MODE });
  await rm(probe, { force: true });
}

/**
 * SQLite says "busy" as well where the file system has no locks (ENOLCK). A file that is new is locked by nobody.
 *
 * @throws SnapshotError `disk` where it cannot be locked either
 */
async function requireLocks(path: string, take: TakeLock): Promise<void> {
  const probe = probePath(path);
  try {
    await writeFile(probe, "", { flag: "wx", mode: LOCK_MODE });
  } catch {
    return; // nothing speaks against the locks
  }
  const database = new Database(probe, { timeout: 0 });
  try {
    take(database);
  } catch (error) {
    throw new SnapshotError("disk", `the file system of ${dirname(path)} takes no locks`, {
      cause: error,
      hint: "Give a directory on a local file system with --out, or mount this one with locks.",
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
  return new SnapshotError("disk", `${path} is no lock of this program: it has other contents`, {
    cause,
    hint: `Find out what wrote it, remove ${path}, and run again.`,
  });
}

function sqliteCodeOf(error: unknown): string {
  return systemCodeOf(error) ?? "";
}

/**
 * Whoever can open the file can hold the lock, be it only to read: nobody else may. A file that is there is not
 * opened, since closing it again would end the lock of a run in this process.
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
    throw new SnapshotError("disk", `${path} has ${stats.nlink} names; remove this one`, {
      hint: "A lock is a file of its own, and no other name of one.",
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
  return new SnapshotError("locked", `another run works on this snapshot: ${holder ?? "another process"}`, {
    hint: "Wait for it to end, or give another directory with --out.",
  });
}

/** Only what we could have written is read, and of that a line. */
async function holderOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path);
  return stats.isFile() && stats.size <= holderBytesMax ? quoted(await readFile(path, "utf8")) : undefined;
}
