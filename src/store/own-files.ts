/**
 * Checks of the owner and mode of files. The output directory may be shared with other users, like /tmp. A run resumes,
 * reuses, replaces and publishes only files that no other user can write: another user could change them after they
 * were verified, and a link could point to any file that this user may write.
 *
 * Files are checked by name. This suffices once the directories belong to this user, because no other user can replace a
 * file in them.
 */

import type { Stats } from "node:fs";
import { lstat, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";

/** The modes of new files and directories before the umask applies. */
export const FILE_MODE = 0o644;
export const DIRECTORY_MODE = 0o755;

const ROOT = 0;
const OTHERS_MAY_WRITE = 0o022;
/** In a directory with this bit, only the owner of an entry, the owner of the directory and root may rename the entry. */
const STICKY = 0o1000;

export type EntryKind = "directory" | "file";

/**
 * Checks the output directory: a user who can write to it can replace everything in it. A missing directory is accepted.
 *
 * @throws SnapshotError `disk` if another user than this one and root can write to it
 */
export async function requireSafeDirectory(directory: string): Promise<void> {
  const link = await statsOf(directory);
  if (link === undefined) return;
  requireOwner(directory, link, [ownUserId(), ROOT]);
  // A link made by root or this user is intended; only the entries of the directory must not be links.
  const stats = await stat(directory);
  if (!stats.isDirectory())
    throw refused(`${directory} is not a directory`, "Give another one with --out, or remove it.");
  requireOwner(directory, stats, [ownUserId(), ROOT]);
  if ((stats.mode & OTHERS_MAY_WRITE) === 0 || (stats.mode & STICKY) !== 0) return;
  throw refused(
    `other users may write to ${directory} (mode ${modeOf(stats)}), and could replace verified files in it`,
    `Remove the permission with chmod go-w ${directory} (or set the sticky bit with chmod +t), or give another directory with --out.`,
  );
}

/**
 * Checks that an entry is of this user alone, and of the expected kind.
 *
 * @throws SnapshotError `disk` if the entry belongs to another user, others may write to it, or it has another kind
 */
export function requireOwn(path: string, stats: Stats, kind: EntryKind): void {
  const isKind = kind === "directory" ? stats.isDirectory() : stats.isFile();
  if (!isKind) {
    const wanted = kind === "directory" ? "directory" : "regular file";
    throw refused(`${path} is not a ${wanted}; remove it`, `Find out what created it, and remove it.`);
  }
  requireOwner(path, stats, [ownUserId()]);
  if ((stats.mode & OTHERS_MAY_WRITE) === 0) return;
  throw refused(
    `other users may write to ${path} (mode ${modeOf(stats)})`,
    `If its content is unchanged, run chmod -R go-w ${path}; otherwise remove it. Then run again.`,
  );
}

/**
 * Why a directory is checked. A directory to be kept may contain only files and directories that no other user can write.
 * One to be verified may also contain other entries, which the verification reports. In one to be removed, every entry
 * must belong to this user.
 */
export type TreeUse = "to be kept" | "to be verified" | "to be removed";

/**
 * Checks a directory and everything in it.
 *
 * @returns whether it exists
 * @throws SnapshotError `disk` if an entry does not suit the use
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
  if (use === "to be kept" || (use === "to be verified" && stats.isFile())) requireOwn(path, stats, "file");
  else requireOwner(path, stats, [ownUserId()]);
}

/**
 * Removes a file or directory if all of it belongs to this user.
 *
 * @throws SnapshotError `disk` if some of it does not
 */
export async function removeOwn(path: string): Promise<void> {
  const stats = await statsOf(path);
  if (stats === undefined) return;
  if (stats.isDirectory()) await requireOwnTree(path, "to be removed");
  else requireOwner(path, stats, [ownUserId()]);
  await rm(path, { recursive: true, force: true });
}

/** Returns whether an entry is a file that no other user can change, and that has no other name. */
export function isOwnFile(stats: Stats): boolean {
  return isChangedByOwnerOnly(stats) && stats.nlink === 1;
}

/** Returns whether an entry is a file that no other user can change. */
export function isChangedByOwnerOnly(stats: Stats): boolean {
  const isOwner = ownUserId() === undefined || stats.uid === ownUserId();
  return stats.isFile() && isOwner && (stats.mode & OTHERS_MAY_WRITE) === 0;
}

/**
 * Checks that an entry belongs to one of the users.
 *
 * @throws SnapshotError `disk` if the entry belongs to none of the users
 */
export function requireOwner(path: string, { uid }: Stats, users: readonly (number | undefined)[]): void {
  const own = ownUserId();
  if (own === undefined || users.includes(uid)) return;
  throw refused(
    `${path} belongs to the user with the ID ${uid}, but this run to ${own}`,
    `It is not changed. Let its owner remove it, give another directory with --out, or run as its owner.`,
  );
}

/** Returns the stats of an entry, without following a link; `undefined` if it does not exist. */
export async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Returns the ID of this user; `undefined` on systems without user IDs. */
function ownUserId(): number | undefined {
  return process.getuid?.();
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function refused(problem: string, hint: string): SnapshotError {
  return new SnapshotError("disk", problem, { hint });
}
