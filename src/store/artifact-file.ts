/** Writes and reads artifact files, plain or as reproducible gzip. */

import { createReadStream, createWriteStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { crc32, createGzip, createInflateRaw } from "node:zlib";
import type { Compression } from "../format/artifact.ts";
import { ByteBudget } from "../limits/byte-budget.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import { gzipIdleBytesMax } from "../limits/http.ts";
import type { RunningHash } from "../protocol/crypto/hash.ts";
import { FILE_MODE } from "./own-files.ts";
import { openRegularFile } from "./regular-file.ts";

/** The byte of a gzip header for the operating system; 255 is "unknown", which makes files reproducible. */
const OS_OFFSET = 9;
const OS_UNKNOWN = 0xff;

/**
 * Compresses a file to a gzip file that is the same on every machine: it contains no time, name or system.
 *
 * @param fileHash updated with the bytes of the gzip file
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

/** The header of files that {@link gzipFile} writes. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, OS_UNKNOWN]);
/** The checksum and the length at the end of a gzip file. */
const GZIP_TRAILER_BYTES = 8;

/**
 * Yields the plain bytes of an artifact.
 *
 * @param budget the budget for plain bytes; a file whose own size exceeds it is not read
 * @param fileHash updated with the bytes of a compressed file
 * @throws BudgetExceededError; an error for a gzip file that is not exactly one member with the expected header: zlib
 *   would ignore another header and trailing bytes
 */
export async function* readArtifact(
  path: string,
  compression: Compression,
  budget: ByteBudget = new ByteBudget(Number.POSITIVE_INFINITY),
  fileHash?: RunningHash,
): AsyncGenerator<Buffer, void, void> {
  const handle = await openRegularFile(path);
  try {
    yield* readOpenArtifact(handle, compression, budget, fileHash);
  } finally {
    await handle.close();
  }
}

/** As {@link readArtifact}, of a file that the caller has opened, and closes. */
export async function* readOpenArtifact(
  handle: FileHandle,
  compression: Compression,
  budget: ByteBudget = new ByteBudget(Number.POSITIVE_INFINITY),
  fileHash?: RunningHash,
): AsyncGenerator<Buffer, void, void> {
  const { size } = await handle.stat();
  // gzip lengthens a text by little.
  budget.require(compression === "none" ? size : size - gzipIdleBytesMax);
  for await (const chunk of compression === "none" ? readPlain(handle) : readGzip(handle, size, fileHash)) {
    budget.take(chunk.length);
    yield chunk;
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
  if (!header.equals(gzipHeader)) throw new Error("its gzip header is not the one that this program writes");
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
    throw new Error("it has trailing bytes after the end of the gzip");
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
