/**
 * Takes artifacts of other snapshots, about which nothing is known. The copy is what is hashed and kept, so that the other
 * snapshot may change or vanish meanwhile.
 */

import { constants } from "node:fs";
import { copyFile, link, lstat, rm, writeFile } from "node:fs/promises";
import { diskError, isDiskFull } from "../errors/snapshot-error.ts";
import type { Compression } from "../format/artifact.ts";
import { ByteBudget } from "../limits/byte-budget.ts";
import { readArtifact } from "./artifact-file.ts";
import { FILE_MODE, isChangedByOwnerOnly } from "./own-files.ts";

/** An artifact of another snapshot. */
export interface ForeignArtifact {
  readonly path: string;
  readonly compression: Compression;
}

/**
 * Shares the blocks of a file with a copy, or links it, which takes no disk space.
 *
 * @returns whether that is possible, and the result is a file that no other user can change
 * @throws an error of the file system
 */
export async function shareFile(path: string, copy: string): Promise<boolean> {
  try {
    await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await rm(copy, { force: true });
    try {
      await link(path, copy);
    } catch {
      return false;
    }
  }
  // The name may lead to another file than a moment ago.
  if (isChangedByOwnerOnly(await lstat(copy))) return true;
  await rm(copy, { force: true });
  return false;
}

/**
 * Writes the plain text of an artifact.
 *
 * @param bytesMax a compressed file may have endless text
 * @returns whether it can be read, and is not longer
 * @throws SnapshotError `disk` if the disk is full
 */
export async function copyPlain(
  { path, compression }: ForeignArtifact,
  copy: string,
  bytesMax: number,
): Promise<boolean> {
  try {
    const text = readArtifact(path, compression, new ByteBudget(bytesMax));
    await writeFile(copy, text, { flag: "wx", mode: FILE_MODE });
    return true;
  } catch (error) {
    await rm(copy, { force: true });
    if (isDiskFull(error)) throw diskError(`cannot write ${copy}`, error);
    return false;
  }
}
