/**
 * The directory that snapshots are published in may be shared with other users, as /tmp is. What a run resumes,
 * takes over, replaces or publishes must be its own user's alone: who can write to it could change it after it was
 * verified, and a link could lead to any file that this user may write.
 *
 * Files are looked at by their names. That is enough once the directories are our own: nobody else can put another
 * file under a name in them.
 */

import type { Stats } from "node:fs";
import { lstat, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";

/** What new files and directories may be, whatever the umask is. */
export const FILE_MODE = 0o644;
export const DIRECTORY_MODE = 0o755;

const ROOT = 0;
const OTHERS_MAY_WRITE = 0o022;
/** In a directory with this bit, only the owner of an entry, that of the directory and root may rename it. */
const STICKY = 0o1000;

export type EntryKind = "directory" | "file";

/**
 * Whoever can write to the directory of the snapshots can exchange everything in it.
 *
 * @throws SnapshotError `disk` where that is anybody but this user and root; what is not there yet is not wrong
 */
export async function requireSafePlace(directory: string): Promise<void> {
  const link = await statsOf(directory);
  if (link === undefined) return;
  requireOwner(directory, link, [ownUserId(), ROOT]);
  // A link that root or this user has made is meant: only what is below the directory must be none.
  const stats = await stat(directory);
  if (!stats.isDirectory())
    throw refused(`${directory} is no directory`, "Give another one with --out, or remove it.");
  requireOwner(directory, stats, [ownUserId(), ROOT]);
  if ((stats.mode & OTHERS_MAY_WRITE) === 0 || (stats.mode & STICKY) !== 0) return;
  throw refused(
    `other users may write to ${directory} (mode ${modeOf(stats)}), and could exchange what is verified in it`,
    `Take the right from them with chmod go-w ${directory} (or set the sticky bit with chmod +t), or give another directory with --out.`,
  );
}

/** @throws SnapshotError `disk` where it is of another user, others may write to it, or it is of another kind */
export function requireOwn(path: string, stats: Stats, kind: EntryKind): void {
  const isKind = kind === "directory" ? stats.isDirectory() : stats.isFile();
  if (!isKind) {
    const wanted = kind === "directory" ? "directory" : "regular file";
    throw refused(`${path} is no ${wanted}; remove it`, `Find out what put it there, and remove it.`);
  }
  requireOwner(path, stats, [ownUserId()]);
  if ((stats.mode & OTHERS_MAY_WRITE) === 0) return;
  throw refused(
    `other users may write to ${path} (mode ${modeOf(stats)})`,
    `Where nobody has changed it, chmod -R go-w ${path}; otherwise remove it, and run again.`,
  );
}

/**
 * What a directory is looked at for. To be kept, it may have nothing but files and directories that nobody else can
 * write to. To be checked, it may have anything else as well, of which the check will tell. To be removed, all of it
 * must be this user's.
 */
export type TreeUse = "to be kept" | "to be checked" | "to be removed";

/**
 * Checks a directory and everything in it.
 *
 * @returns whether there is anything of that name
 * @throws SnapshotError `disk` where something in it does not suit its use
 */
export async function requireOwnTree(path: string, use: TreeUse): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined) return false;
  requireOwn(path, stats, "directory");
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const within = join(path, entry.name);
    if (entry.isDirectory()) await requireOwnTree(within, use);
    else await requireOwnEntry(within, use);
  }
  return true;
}

async function requireOwnEntry(path: string, use: TreeUse): Promise<void> {
  const stats = await lstat(path);
  if (use === "to be kept" || (use === "to be checked" && stats.isFile())) requireOwn(path, stats, "file");
  else requireOwner(path, stats, [ownUserId()]);
}

/** Removes what is there, if all of it is our own. */
export async function removeOwn(path: string): Promise<void> {
  const stats = await statsOf(path);
  if (stats === undefined) return;
  if (stats.isDirectory()) await requireOwnTree(path, "to be removed");
  else requireOwner(path, stats, [ownUserId()]);
  await rm(path, { recursive: true, force: true });
}

/** Whether it is a file that nobody else can change, under whatever name. */
export function isOwnFile(stats: Stats): boolean {
  const isOwner = ownUserId() === undefined || stats.uid === ownUserId();
  return stats.isFile() && isOwner && stats.nlink === 1 && (stats.mode & OTHERS_MAY_WRITE) === 0;
}

/** @throws SnapshotError `disk` where it belongs to none of them */
export function requireOwner(path: string, { uid }: Stats, users: readonly (number | undefined)[]): void {
  const own = ownUserId();
  if (own === undefined || users.includes(uid)) return;
  throw refused(
    `${path} belongs to the user with the ID ${uid}, and this run to ${own}`,
    `It is left as it is. Have it removed by its owner, give another directory with --out, or run as its owner.`,
  );
}

/** What is known of it, a link itself rather than what it leads to; `undefined` where there is nothing. */
export async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** `undefined` where the system knows no such IDs. */
function ownUserId(): number | undefined {
  return process.getuid?.();
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function refused(problem: string, hint: string): SnapshotError {
  return new SnapshotError("disk", problem, { hint });
}
