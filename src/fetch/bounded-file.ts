/**
 * Reads a file that the user names, whole, under a bound. It may be a pipe, as the shell makes one for `<(…)`, and
 * by mistake it may be anything: a device without end, a pipe that nobody writes to. So it is opened and read
 * without blocking, and a signal ends the wait.
 */

import { constants, type FileHandle, open } from "node:fs/promises";
import { systemCodeOf } from "../model/failure.ts";
import { pipeCheckMs, pipeWaitMaxMs, writeBufferBytes } from "../model/limits.ts";
import { sleep } from "./sleep.ts";

/** @throws Error of the system, or one that says which bound the file crosses; the signal's reason */
export async function readFileBounded(path: string, bytesMax: number, signal?: AbortSignal): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new Error("it is a directory");
    if (stats.size > bytesMax) throw tooLarge(bytesMax);
    return await readAll(handle, stats.isFIFO(), bytesMax, signal);
  } finally {
    await handle.close();
  }
}

async function readAll(
  handle: FileHandle,
  isPipe: boolean,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const startedMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const chunk = await readChunk(handle);
    // A pipe without a writer reads as one that has ended: only one that brought something has.
    const isWaiting = chunk === "nothing yet" || (isPipe && chunk.length === 0 && size === 0);
    if (isWaiting) {
      if (size === 0 && performance.now() - startedMs > pipeWaitMaxMs) {
        throw new Error(`nothing was written to it in ${pipeWaitMaxMs / 1000} s`);
      }
      await sleep(pipeCheckMs, signal);
    } else if (chunk.length === 0) return Buffer.concat(chunks);
    else {
      size += chunk.length;
      if (size > bytesMax) throw tooLarge(bytesMax);
      chunks.push(chunk);
    }
  }
}

async function readChunk(handle: FileHandle): Promise<Buffer | "nothing yet"> {
  try {
    const buffer = Buffer.allocUnsafeSlow(writeBufferBytes);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    // What a pipe brings in small pieces must not hold all of the memory.
    return bytesRead > buffer.length / 2
      ? buffer.subarray(0, bytesRead)
      : Buffer.from(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (systemCodeOf(error) === "EAGAIN") return "nothing yet";
    throw error;
  }
}

function tooLarge(bytesMax: number): Error {
  return new Error(`it has more than ${bytesMax} bytes`);
}
