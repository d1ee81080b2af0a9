/** A published snapshot, to be read by those who check it: anybody may have made it, links and devices included. */

import type { Dirent } from "node:fs";
import { type FileHandle, lstat, opendir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError, isReadError, type SnapshotError } from "../errors/snapshot-error.ts";
import { type ArtifactScan, compressionOf } from "../format/artifact.ts";
import { EVIDENCE_DIRECTORY } from "../format/snapshot-names.ts";
import type { SnapshotReader } from "../format/snapshot-reader.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import { evidenceFileBytesMax } from "../limits/snapshot.ts";
import { openRegularFile } from "./regular-file.ts";
import { scanArtifact } from "./scan-artifact.ts";

export class SnapshotDirectory implements SnapshotReader {
  readonly directory: string;
  readonly #signal: AbortSignal | undefined;
  #readError: SnapshotError | undefined;

  /** @param signal ends a scan that is under way */
  constructor(directory: string, signal?: AbortSignal) {
    this.directory = directory;
    this.#signal = signal;
  }

  /**
   * Whatever a check makes of the errors that it met: where one was of reading, nothing is known of that file.
   *
   * @throws SnapshotError `disk` with the first error of reading, where there was one
   */
  requireRead(): void {
    if (this.#readError !== undefined) throw this.#readError;
  }

  /**
   * One of the small files, whole.
   *
   * @throws the file system's error; an error where it is no regular file, or has more than `bytesMax` bytes
   */
  async readBytes(file: string, bytesMax: number = evidenceFileBytesMax): Promise<Buffer> {
    return await this.#noting(file, () => this.#readBytes(file, bytesMax));
  }

  async #readBytes(file: string, bytesMax: number): Promise<Buffer> {
    const handle = await this.#open(file);
    try {
      const size = await sizeWithin(handle, bytesMax);
      // One byte more than it has: what grows meanwhile is noticed, and not read on.
      const buffer = Buffer.allocUnsafe(size + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > size) throw new Error("it grows while it is read");
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  }

  /** The bytes of a file piece by piece; errors as {@link readBytes}. */
  async *readChunks(file: string, bytesMax: number): AsyncGenerator<Buffer, void, void> {
    const handle = await this.#noting(file, () => this.#open(file));
    try {
      let left = await sizeWithin(handle, bytesMax);
      const stream = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: writeBufferBytes });
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        this.#signal?.throwIfAborted();
        left -= chunk.length;
        if (left < 0) throw new Error("it grows while it is read");
        yield chunk;
      }
    } catch (error) {
      this.#note(file, error);
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** @param budget how many bytes the plain text may have; what it has is taken from it */
  async scan(file: string, hashKey: string, budget?: ByteBudget): Promise<ArtifactScan> {
    const compression = compressionOf(file);
    const limits = { signal: this.#signal, budget };
    return await this.#noting(file, () =>
      scanArtifact(join(this.directory, file), compression, hashKey, limits),
    );
  }

  /** The size of a file in bytes; errors as {@link readBytes}. */
  async sizeOf(file: string): Promise<number> {
    return await this.#noting(file, async () => {
      const handle = await this.#open(file);
      try {
        return (await handle.stat()).size;
      } finally {
        await handle.close();
      }
    });
  }

  /**
   * The names of everything in the directory and in that of the evidence: `evidence/gossip.jsonl`. What is no
   * directory of its own has no name within.
   */
  async *names(): AsyncGenerator<string, void, void> {
    let directory = "";
    try {
      for await (const { name } of await this.#entries("")) {
        yield name;
        if (name !== EVIDENCE_DIRECTORY || !(await this.#isDirectory(name))) continue;
        directory = name;
        for await (const { name: within } of await this.#entries(name)) yield `${name}/${within}`;
        directory = "";
      }
    } catch (error) {
      this.#note(directory, error);
      throw error;
    }
  }

  async #noting<T>(file: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      this.#note(file, error);
      throw error;
    }
  }

  #note(file: string, error: unknown): void {
    if (isReadError(error)) this.#readError ??= diskError(`cannot read ${join(this.directory, file)}`, error);
  }

  async #entries(directory: string): Promise<AsyncIterable<Dirent>> {
    return await opendir(join(this.directory, directory));
  }

  async #isDirectory(name: string): Promise<boolean> {
    return (await lstat(join(this.directory, name))).isDirectory();
  }

  async #open(file: string): Promise<FileHandle> {
    const parent = dirname(file);
    if (parent !== "." && !(await this.#isDirectory(parent))) {
      throw new Error(`${parent} is no directory, or a link to one: nothing is read through it`);
    }
    return await openRegularFile(join(this.directory, file));
  }
}

async function sizeWithin(handle: FileHandle, bytesMax: number): Promise<number> {
  const { size } = await handle.stat();
  if (size > bytesMax) throw new Error(`it has ${size} bytes, more than ${bytesMax}`);
  return size;
}
