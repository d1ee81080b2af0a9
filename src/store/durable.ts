/** Writing so that it is still there after a power failure. */

import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32, createGzip, createInflateRaw } from "node:zlib";
import { diskError, systemCodeOf } from "../errors/snapshot-error.ts";
import type { Compression } from "../format/artifact.ts";
import { ByteBudget } from "../limits/byte-budget.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import { gzipIdleBytesMax } from "../limits/http.ts";
import type { RunningHash } from "../protocol/crypto/hash.ts";
import { DIRECTORY_MODE, FILE_MODE } from "./own-files.ts";
import { openRegularFile } from "./regular-file.ts";

/**
 * Has the system write a file or directory, and what it knows of it, to the disk.
 *
 * @throws SnapshotError `disk`, which names it: the system's own error of a descriptor does not
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

/** Writes a new file: what is there already, a link included, is not written to. */
export async function writeSynced(path: string, content: string | Iterable<Uint8Array>): Promise<void> {
  try {
    await writeFile(path, content, { flush: true, flag: "wx", mode: FILE_MODE });
  } catch (error) {
    throw diskError(`cannot write ${path}`, error);
  }
}

/** A gzip header has a byte for the operating system: 255 says "unknown", so that equal files stay equal. */
const OS_OFFSET = 9;
const OS_UNKNOWN = 0xff;

/**
 * A gzip of a file beside it, the same on every machine: no time, no name, no system in it.
 *
 * @param fileHash takes in the bytes of the gzip
 */
export async function gzipFile(path: string, gzipPath: string, fileHash?: RunningHash): Promise<void> {
  await pipeline(
    createReadStream(path, { highWaterMark: writeBufferBytes }),
    createGzip({ level: 6, chunkSize: writeBufferBytes }),
    (chunks) => withoutSystem(chunks, fileHash),
    createWriteStream(gzipPath, { flags: "wx", mode: FILE_MODE }),
  );
}

async function* withoutSystem(
  chunks: AsyncIterable<Buffer>,
  fileHash: RunningHash | undefined,
): AsyncGenerator<Buffer, void, void> {
  let offset = 0;
  for await (const chunk of chunks) {
    if (offset <= OS_OFFSET && offset + chunk.length > OS_OFFSET) chunk[OS_OFFSET - offset] = OS_UNKNOWN;
    offset += chunk.length;
    fileHash?.update(chunk);
    yield chunk;
  }
}

/** What {@link gzipFile} begins its files with. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, OS_UNKNOWN]);
/** A checksum and the length, at the end. */
const GZIP_TRAILER_BYTES = 8;

/**
 * The plain bytes of an artifact.
 *
 * @param budget how much may be read, of the plain bytes; what a file's own size already exceeds is not read at all
 * @param fileHash takes in the bytes of a compressed file
 * @throws BudgetExceededError; also for a gzip file that is anything but one member as it was written: zlib would pass
 *   over another header, and over what follows the end
 */
export async function* readArtifact(
  path: string,
  compression: Compression,
  budget: ByteBudget = new ByteBudget(Number.POSITIVE_INFINITY),
  fileHash?: RunningHash,
): AsyncGenerator<Buffer, void, void> {
  const handle = await openRegularFile(path);
  try {
    const { size } = await handle.stat();
    // gzip never makes a text much longer.
    budget.require(compression === "none" ? size : size - gzipIdleBytesMax);
    for await (const chunk of compression === "none" ? readPlain(handle) : readGzip(handle, size, fileHash)) {
      budget.take(chunk.length);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

function readPlain(handle: FileHandle): AsyncIterable<Buffer> {
  return handle.createReadStream({ start: 0, autoClose: false, highWaterMark: writeBufferBytes });
}

async function* readGzip(
  handle: FileHandle,
  size: number,
  fileHash: RunningHash | undefined,
): AsyncGenerator<Buffer, void, void> {
  const { header, trailer } = await readGzipEnds(handle, size);
  if (!header.equals(gzipHeader)) throw new Error("its gzip header is not the one that is written");
  const end = size - GZIP_TRAILER_BYTES - 1;
  if (end < gzipHeader.length) throw new Error("it is too short for a gzip file");
  const inflate = createInflateRaw({ chunkSize: writeBufferBytes });
  const file = handle.createReadStream({
    start: gzipHeader.length,
    end,
    autoClose: false,
    highWaterMark: writeBufferBytes,
  });
  file.on("error", (error) => inflate.destroy(error));
  if (fileHash !== undefined) {
    fileHash.update(header);
    file.on("data", (chunk) => fileHash.update(chunk as Buffer));
  }
  let checksum = 0;
  let bytes = 0;
  try {
    for await (const chunk of file.pipe(inflate) as AsyncIterable<Buffer>) {
      checksum = crc32(chunk, checksum);
      bytes += chunk.length;
      yield chunk;
    }
  } finally {
    file.destroy();
  }
  if (gzipHeader.length + inflate.bytesWritten + GZIP_TRAILER_BYTES !== size) {
    throw new Error("there is something behind the end of the gzip");
  }
  if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== bytes % 2 ** 32) {
    throw new Error("its gzip checksum or length is wrong");
  }
  fileHash?.update(trailer);
}

async function readGzipEnds(handle: FileHandle, size: number): Promise<{ header: Buffer; trailer: Buffer }> {
  const header = Buffer.alloc(gzipHeader.length);
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  await handle.read(header, 0, header.length, 0);
  await handle.read(trailer, 0, trailer.length, Math.max(0, size - trailer.length));
  return { header, trailer };
}

/**
 * Makes a directory and those above it that are missing. Node's own way to do so never returns where a
 * parent exists and yet takes no directories, as in /proc.
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectories(dirname(path));
    // Another run may have been quicker; a place that takes no directories says ENOENT again.
    await mkdir(path, { mode: DIRECTORY_MODE }).catch((again) => {
      if (systemCodeOf(again) !== "EEXIST") throw again;
    });
  }
}
