/**
 * One run at a time for one snapshot. The lock is SQLite's on an empty database file, which the operating
 * system takes back when its process dies, however it dies: no process ID to be mistaken about.
 */

import { chmod, lstat, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import Database from "libsql";
import { diskFailure, Failure, systemCodeOf } from "../model/failure.ts";
import { quoted } from "../wire/parse.ts";
import { makeDirectories } from "./durable.ts";
import { removeOwn, requireOwn, requireSafePlace, statsOf } from "./own-files.ts";

const attempts = 10;
const LOCK_MODE = 0o600;

/** A host name has at most 255 characters; the rest is short. */
const holderBytesMax = 1_024;

export interface RunLock {
  release(): Promise<void>;
}

/**
 * @param path the lock file, which need not exist
 * @throws Failure `locked` where another run holds it, `disk` where it cannot be had at all
 */
export async function acquireRunLock(path: string): Promise<RunLock> {
  const holderPath = `${path}.holder`;
  try {
    await makeDirectories(dirname(path));
    await requireSafePlace(dirname(path));
    for (let attempt = 0; attempt < attempts; attempt++) {
      const database = await tryLock(path);
      if (database === undefined) continue;
      await removeOwn(holderPath);
      const holder = `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}`;
      await writeFile(holderPath, holder, { flag: "wx", mode: LOCK_MODE });
      return {
        release: async () => {
          // Removed while it is held: whoever opened it meanwhile sees that it is another file by then.
          await rm(holderPath, { force: true });
          await rm(path, { force: true });
          database.close();
        },
      };
    }
  } catch (error) {
    throw error instanceof Failure ? error : diskFailure(`cannot lock ${path}`, error);
  }
  throw await lockedFailure(path);
}

/** The open lock; `undefined` where the file was replaced under us, and it must be tried again. */
async function tryLock(path: string): Promise<Database.Database | undefined> {
  await makeLockFile(path);
  const before = await inodeOf(path);
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) throw await lockedFailure(path);
    throw error;
  }
  // A holder that released it meanwhile has removed the file: others would then lock another one.
  if (before !== undefined && before === (await inodeOf(path))) return database;
  database.close();
  return undefined;
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
    throw new Failure("disk", `${path} has ${stats.nlink} names; remove this one`, {
      hint: "A lock is a file of its own, and no other name of one.",
    });
  }
  if ((stats.mode & 0o777) !== LOCK_MODE) await chmod(path, LOCK_MODE);
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  return stats?.ino;
}

async function lockedFailure(path: string): Promise<Failure> {
  const holder = await holderOf(`${path}.holder`).catch(() => undefined);
  return new Failure("locked", `another run works on this snapshot: ${holder ?? "another process"}`, {
    hint: "Wait for it to end, or give another directory with --out.",
  });
}

/** Only what we could have written is read, and of that a line. */
async function holderOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path);
  return stats.isFile() && stats.size <= holderBytesMax ? quoted(await readFile(path, "utf8")) : undefined;
}
