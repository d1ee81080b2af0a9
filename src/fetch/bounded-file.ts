/**
 * Reads a file that the user names. It may be a pipe, which the shell makes for `<(…)`, or by mistake an endless device
 * or a pipe without a writer. It is therefore read without blocking, under a bound, and until a signal aborts the read.
 */

import { constants, type FileHandle, open } from "node:fs/promises";
import { systemCodeOf } from "../errors/snapshot-error.ts";
import { pipeCheckMs, pipeWaitMaxMs, writeBufferBytes } from "../limits/disk.ts";
import { sleep } from "./sleep.ts";

/**
 * Reads a whole file.
 *
 * @throws the system's error, an error that names the exceeded bound, or the signal's reason
 */
export async function readFileBounded(path: string, bytesMax: number, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of fileChunks(path, signal)) {
    size += chunk.length;
    if (size > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Yields the content of a file.
 *
 * @throws the system's error, or the signal's reason
 */
export async function* fileChunks(path: string, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new Error("it is a directory");
    const startedMs = performance.now();
    let hasBegun = false;
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await readChunk(handle);
      // A pipe without a writer reads as ended; it has ended only if it had content before.
      const isWaiting = chunk === "nothing yet" || (stats.isFIFO() && chunk.length === 0 && !hasBegun);
      if (isWaiting) {
        if (!hasBegun && performance.now() - startedMs > pipeWaitMaxMs) {
          throw new Error(`nothing was written to it in ${pipeWaitMaxMs / 1000} s`);
        }
        await sleep(pipeCheckMs, signal);
      } else if (chunk.length === 0) return;
      else {
        hasBegun = true;
        yield chunk;
      }
    }
  } finally {
    await handle.close();
  }
}

async function readChunk(handle: FileHandle): Promise<Buffer | "nothing yet"> {
  try {
    const buffer = Buffer.allocUnsafeSlow(writeBufferBytes);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    // A small piece of a pipe must not hold the memory of a whole buffer.
    return bytesRead > buffer.length / 2
      ? buffer.subarray(0, bytesRead)
      : Buffer.from(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (systemCodeOf(error) === "EAGAIN") return "nothing yet";
    throw error;
  }
}
