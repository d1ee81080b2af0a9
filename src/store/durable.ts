/** Files that survive a power failure: synced writes, and directories. */

import { mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError, systemCodeOf } from "../errors/snapshot-error.ts";
import { DIRECTORY_MODE, FILE_MODE } from "./own-files.ts";

/**
 * Syncs a file or directory and its metadata to the disk.
 *
 * @throws SnapshotError `disk`, which names the path: the system's error for a descriptor does not
 */
export async function syncPath(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw diskError(`cannot sync ${path}`, error);
  }
}

/** Writes and syncs a new file. Fails if the name exists, also as a link. */
export async function writeSynced(path: string, content: string | Iterable<Uint8Array>): Promise<void> {
  try {
    await writeFile(path, content, { flush: true, flag: "wx", mode: FILE_MODE });
  } catch (error) {
    throw diskError(`cannot write ${path}`, error);
  }
}

/**
 * Makes a directory and its missing parents. Node's recursive `mkdir` does not return if a parent exists but cannot
 * contain directories, as in /proc.
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectories(dirname(path));
    // Another run may have made it meanwhile. A parent that cannot contain directories fails with ENOENT again.
    await mkdir(path, { mode: DIRECTORY_MODE }).catch((again) => {
      if (systemCodeOf(again) !== "EEXIST") throw again;
    });
  }
}
