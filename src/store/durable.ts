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

export async function writeSynced(path: string, content: string | Iterable<Uint8Array>): Promise<void> {
  try {
    await writeFile(path, content, { flush: true });
  } catch (error) {
    throw diskFailure(`cannot write ${path}`, error);
  }
}

/** A gzip header has a byte for the operating system: 255 says "unknown", so that equal files stay equal. */
const OS_OFFSET = 9;
const OS_UNKNOWN = 0xff;

/** A gzip of a file beside it, the same on every machine: no time, no name, no system in it. */
export async function gzipFile(path: string, gzipPath: string): Promise<void> {
  await pipeline(
    createReadStream(path, { highWaterMark: writeBufferBytes }),
    createGzip({ level: 6, chunkSize: writeBufferBytes }),
    withoutSystem,
    createWriteStream(gzipPath),
  );
}

async function* withoutSystem(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let offset = 0;
  for await (const chunk of chunks) {
    if (offset <= OS_OFFSET && offset + chunk.length > OS_OFFSET) chunk[OS_OFFSET - offset] = OS_UNKNOWN;
    offset += chunk.length;
    yield chunk;
  }
}

/** What {@link gzipFile} begins its files with. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, OS_UNKNOWN]);

/**
 * The plain bytes of an artifact.
 *
 * @throws for a gzip file that has more in it than its content: another header, or something behind its end
 */
export async function* readArtifact(
  path: string,
  compression: Compression,
): AsyncGenerator<Buffer, void, void> {
  const file = createReadStream(path, { highWaterMark: writeBufferBytes });
  if (compression === "none") {
    yield* file;
    return;
  }
  const gunzip = createGunzip({ chunkSize: writeBufferBytes });
  let bytes = 0;
  const checked = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      if (bytes === 0 && !chunk.subarray(0, gzipHeader.length).equals(gzipHeader)) {
        throw new Error("its gzip header is not the one that is written");
      }
      bytes += chunk.length;
      yield chunk;
    }
  };
  const piped = pipeline(file, checked, gunzip);
  piped.catch(() => undefined); // reported where the loop below meets it
  for await (const chunk of gunzip) yield chunk as Buffer;
  await piped;
  if (gunzip.bytesWritten !== bytes) throw new Error("there is something behind the end of the gzip");
}
