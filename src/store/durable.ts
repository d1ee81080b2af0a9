/** Writing so that it is still there after a power failure. */

import { createReadStream, createWriteStream } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { diskFailure } from "../model/failure.ts";
import { writeBufferBytes } from "../model/limits.ts";
import type { Compression } from "../model/snapshot-layout.ts";

/** Has the system write a file or directory, and what it knows of it, to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function writeSynced(
  path: string,
  content: string | Uint8Array | Iterable<string>,
): Promise<void> {
  try {
    await writeFile(path, content, { flush: true });
  } catch (error) {
    throw diskFailure(`cannot write ${path}`, error);
  }
}

/** A gzip of a file beside it. gzip's header has no time and no name in it, so equal files stay equal. */
export async function gzipFile(path: string, gzipPath: string): Promise<void> {
  await pipeline(
    createReadStream(path, { highWaterMark: writeBufferBytes }),
    createGzip({ level: 6, chunkSize: writeBufferBytes }),
    createWriteStream(gzipPath),
  );
}

/** The plain bytes of an artifact. */
export function readArtifact(path: string, compression: Compression): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: writeBufferBytes });
  if (compression === "none") return file;
  const gunzip = createGunzip({ chunkSize: writeBufferBytes });
  file.on("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}
