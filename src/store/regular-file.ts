/** Opens files that anybody may have put there. */

import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";

/**
 * Opens a regular file to be read. A link is not followed, and a FIFO, a socket or a device is not opened: each may
 * lead elsewhere, or never end.
 *
 * @throws the file system's error, or one that says that it is no regular file
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // Opening a device can have effects of its own, so look before.
  if (!(await lstat(path)).isFile()) throw new Error(NOT_REGULAR);
  // Somebody may have put another file there since: then these flags refuse a link, and do not wait for a FIFO.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(NOT_REGULAR);
}

const NOT_REGULAR = "it is no regular file";
