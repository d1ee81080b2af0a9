/** Opens untrusted files. */

import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";

/**
 * Opens a regular file for reading. Links are not followed, and FIFOs, sockets and devices are not opened.
 *
 * @throws the file system's error, or an error if it is not a regular file
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // Opening a device can have side effects, so the kind is checked first.
  if (!(await lstat(path)).isFile()) throw new Error(NOT_REGULAR);
  // If the file was replaced since, these flags reject a link and do not block on a FIFO.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(NOT_REGULAR);
}

const NOT_REGULAR = "it is not a regular file";
