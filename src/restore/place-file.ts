/** Puts a finished file in place of another one: at any moment, the name leads to the old file or to the new one. */

import { chmod, chown, copyFile, constants as fsConstants, link, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError, systemCodeOf } from "../errors/snapshot-error.ts";
import { syncPath } from "../store/durable.ts";
import { statsOf } from "../store/own-files.ts";

/** Kept files of restores of one snapshot. */
const keptFilesMax = 1_000;

/**
 * Gives a file a second name, under which it is kept when the first is replaced. A file that already has such a name, from
 * a restore that was killed, gets no other.
 *
 * @param wanted the name; if another file has it, a number is added
 * @returns the name; `undefined` if there is no file
 * @throws SnapshotError `disk`
 */
export async function keepFile(path: string, wanted: string): Promise<string | undefined> {
  const old = await statsOf(path);
  if (old === undefined) return undefined;
  try {
    for (let number = 1; number <= keptFilesMax; number++) {
      const name = number === 1 ? wanted : `${wanted}-${number}`;
      const stats = await statsOf(name);
      if (stats?.ino === old.ino && stats.dev === old.dev) return name;
      if (stats !== undefined) continue;
      await linkOrCopy(path, name);
      return name;
    }
  } catch (error) {
    throw diskError(`cannot keep ${path}`, error);
  }
  throw diskError(`cannot keep ${path}`, new Error(`${wanted} and ${keptFilesMax} more names are taken`));
}

/** File systems without hard links get a copy, which is complete before it has its name. */
async function linkOrCopy(path: string, name: string): Promise<void> {
  try {
    await link(path, name);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS"].includes(systemCodeOf(error) ?? ""))
      throw error;
    const copy = `${name}.copying`;
    await rm(copy, { force: true });
    await copyFile(path, copy, fsConstants.COPYFILE_EXCL);
    await syncPath(copy);
    await rename(copy, name);
  }
}

/**
 * Replaces a file by a synced one in the same directory. It gets the mode of the old file, and its owner if this process
 * may give it away.
 *
 * @returns a warning, if another user than the owner of the old file will own the new one
 * @throws SnapshotError `disk`
 */
export async function placeFile(finished: string, path: string): Promise<string | undefined> {
  try {
    const [old, own] = [await statsOf(path), await statsOf(finished)];
    let warning: string | undefined;
    if (old !== undefined && own !== undefined) {
      await chmod(finished, old.mode & 0o777);
      if (old.uid !== own.uid || old.gid !== own.gid) {
        await chown(finished, old.uid, old.gid).catch(() => {
          warning = `${path} belonged to user ${old.uid}, and now belongs to user ${own.uid}: check that the archiver can write to it`;
        });
      }
    }
    await rename(finished, path);
    await syncPath(dirname(path));
    return warning;
  } catch (error) {
    throw diskError(`cannot place ${path}`, error);
  }
}
