/** Reads a published snapshot for verification. Its author is not trusted: it may contain links and devices. */

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

  /** @param signal aborts scans */
  constructor(directory: string, signal?: AbortSignal) {
    this.directory = directory;
    this.#signal = signal;
  }

  /**
   * Checks that no read failed: a verification that could not read a file has no result.
   *
   * @throws SnapshotError `disk` with the first read error, if there was one
   */
  requireRead(): void {
    if (this.#readError !== undefined) throw this.#readError;
  }

  /**
   * Reads a whole small file.
   *
   * @throws the file system's error; an error if it is not a regular file, or has more than `bytesMax` bytes
   */
  async readBytes(file: string, bytesMax: number = evidenceFileBytesMax): Promise<Buffer> {
    return await this.#noting(file, () => this.#readBytes(file, bytesMax));
  }

  async #readBytes(file: string, bytesMax: number): Promise<Buffer> {
    const handle = await this.#open(file);
    try {
      const size = await sizeWithin(handle, bytesMax);
      // One byte more than the size, so that growth is noticed.
      const buffer = Buffer.allocUnsafe(size + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > size) throw new Error("it grew while it was read");
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  }

  /** Reads a file in chunks; throws as {@link readBytes}. */
  async *readChunks(file: string, bytesMax: number): AsyncGenerator<Buffer, void, void> {
    const handle = await this.#noting(file, () => this.#open(file));
    try {
      let left = await sizeWithin(handle, bytesMax);
      const stream = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: writeBufferBytes });
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        this.#signal?.throwIfAborted();
        left -= chunk.length;
        if (left < 0) throw new Error("it grew while it was read");
        yield chunk;
      }
    } catch (error) {
      this.#note(file, error);
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** @param budget the budget for the plain text, from which its bytes are taken */
  async scan(file: string, hashKey: string, budget?: ByteBudget): Promise<ArtifactScan> {
    const compression = compressionOf(file);
    const limits = { signal: this.#signal, budget };
    return await this.#noting(file, () =>
      scanArtifact(join(this.directory, file), compression, hashKey, limits),
    );
  }

  /** Returns the size of a file in bytes; throws as {@link readBytes}. */
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
   * Lists all names in the directory and in that of the evidence, such as `evidence/gossip.jsonl`. If the evidence is not
   * a directory, only its own name is listed.
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
      throw new Error(`${parent} is not a directory, or is a link, which is not followed`);
    }
    return await openRegularFile(join(this.directory, file));
  }
}

async function sizeWithin(handle: FileHandle, bytesMax: number): Promise<number> {
  const { size } = await handle.stat();
  if (size > bytesMax) throw new Error(`it has ${size} bytes, more than ${bytesMax}`);
  return size;
}
