/**
 * Writes copies as the text of a list, which is a partition's preimage, and hashes it at the same time. The file is
 * open only while it is written. While one buffer is hashed and written, the other is filled.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { diskError } from "../errors/snapshot-error.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { HashThread, type ThreadHash } from "./hash-thread.ts";
import { giveBack, largeBuffer, largerBuffer, shareable, smallBuffer } from "./list-buffer.ts";
import { PendingBytes } from "./pending-bytes.ts";

/** An existing file, or a link, is not written to. */
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL;
const EXISTING_FILE = O_WRONLY | O_APPEND | O_NOFOLLOW;
const FILE_MODE = 0o644;

const OPEN_LIST = 0x5b;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;

export class PreimageWriter {
  readonly path: string;
  /** Counts the bytes that are not yet flushed, together with those of other writers. */
  readonly #budget: PendingBytes;
  /** Hashes in this thread until a buffer is full and the hash thread has started. */
  readonly #hash: RunningHash;
  #threadHash: ThreadHash | undefined;
  #buffer = smallBuffer();
  #pending = 0;
  /** The bytes of the last flush, and their buffer. They may not be written yet. */
  #flushed: Buffer = Buffer.alloc(0);
  #flushing: Buffer | undefined;
  #isFlushed: Promise<unknown> = Promise.resolve();
  #flushedBytes = 0;
  #accounts = 0;
  #handle: FileHandle | undefined;

  /** @param budget shared with the other partitions of a response */
  constructor(path: string, hashKey: string, budget = new PendingBytes()) {
    this.path = path;
    this.#budget = budget;
    this.#hash = new RunningHash(hashKey);
  }

  /** Writes a whole list and returns its hash. Leaves no file open, whatever happens. */
  static async writeAll(
    path: string,
    hashKey: string,
    copies: Iterable<Buffer> | AsyncIterable<Buffer>,
  ): Promise<{ writer: PreimageWriter; hash: HashHex }> {
    const writer = new PreimageWriter(path, hashKey);
    try {
      for await (const copy of copies) {
        writer.append(copy);
        if (writer.isFull) await writer.flush();
      }
      return { writer, hash: await writer.close() };
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  get accounts(): number {
    return this.#accounts;
  }

  /** Bytes so far, including those that are still in the buffer. */
  get bytes(): number {
    return this.#flushedBytes + this.#pending;
  }

  /** Whether it is time to {@link flush}. */
  get isFull(): boolean {
    return this.#pending >= writeBufferBytes;
  }

  /** @param copies with commas between them, if there are several */
  append(copies: Buffer, count = 1): void {
    this.#reserve(1 + copies.length);
    this.#budget.add(1 + copies.length);
    this.#buffer[this.#pending++] = this.#accounts === 0 ? OPEN_LIST : COMMA;
    this.#accounts += count;
    this.#pending += copies.copy(this.#buffer, this.#pending);
  }

  /** Whether the last copy, which has so many bytes, is this one. Invalid after a release. */
  endsWith(copy: Buffer, lastCopyBytes: number): boolean {
    const last = this.#pending > 0 ? this.#buffer.subarray(0, this.#pending) : this.#flushed;
    return last.subarray(last.length - lastCopyBytes).equals(copy);
  }

  /**
   * Starts to hash and to write what is pending. Waits for the previous flush first: at most one buffer is in flight,
   * so that a slow disk slows down the source of the bytes.
   *
   * @throws SnapshotError `disk`, possibly of the previous flush
   */
  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    const bytes = this.#buffer.subarray(0, this.#pending);
    if (this.isFull) this.#threadHash ??= HashThread.shared().adopt(this.#hash);
    if (this.#threadHash === undefined) this.#hash.update(bytes);
    await this.#isFlushed;
    const hashed = this.#threadHash?.update(shareable(bytes));
    this.#isFlushed = both(hashed, this.#write(bytes, this.#flushedBytes === 0));
    this.#isFlushed.catch(() => undefined); // thrown by the next flush or release
    const free = this.#flushing ?? largeBuffer();
    this.#flushing = this.#buffer;
    this.#buffer = free;
    this.#flushed = bytes;
    this.#flushedBytes += bytes.length;
    this.#forgetPending();
  }

  /** Flushes, and releases the buffers and the file handle until more is appended. */
  async release(): Promise<void> {
    await this.flush();
    await this.#releaseFile();
  }

  /** Returns the hash that the list would have if it ended here. Append nothing before the promise is fulfilled. */
  hashIfClosed(): Promise<HashHex> {
    this.#reserve(2);
    const end = this.#pending + this.#close(this.#pending);
    const bytes = this.#buffer.subarray(0, end);
    if (this.#threadHash !== undefined) return this.#threadHash.digestWith(shareable(bytes));
    return Promise.resolve(this.#hash.copy().update(bytes).digest());
  }

  /** Ends the list and the file; returns the hash of the list. */
  async close(): Promise<HashHex> {
    this.#reserve(2);
    const endBytes = this.#close(this.#pending);
    this.#pending += endBytes;
    this.#budget.add(endBytes);
    await this.release();
    if (this.#threadHash === undefined) return this.#hash.digest();
    const hash = await this.#threadHash.digestWith(new Uint8Array(0));
    this.#forgetThread();
    return hash;
  }

  /** Closes the file as it is. */
  async abandon(): Promise<void> {
    this.#forgetPending();
    this.#forgetThread();
    await this.#releaseFile().catch(() => undefined);
  }

  /** Writes the end of the list at a place in the buffer; returns its length. */
  #close(at: number): number {
    if (this.#accounts > 0) {
      this.#buffer[at] = CLOSE_LIST;
      return 1;
    }
    this.#buffer[at] = OPEN_LIST;
    this.#buffer[at + 1] = CLOSE_LIST;
    return 2;
  }

  #forgetPending(): void {
    this.#budget.remove(this.#pending);
    this.#pending = 0;
  }

  #forgetThread(): void {
    this.#threadHash?.forget();
    this.#threadHash = undefined;
  }

  async #releaseFile(): Promise<void> {
    try {
      await this.#isFlushed;
    } finally {
      giveBack(this.#buffer);
      if (this.#flushing !== undefined) giveBack(this.#flushing);
      this.#buffer = smallBuffer();
      this.#flushing = undefined;
      this.#flushed = Buffer.alloc(0);
      const handle = this.#handle;
      this.#handle = undefined;
      await handle?.close();
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#pending + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = largerBuffer(needed, this.#buffer.subarray(0, this.#pending));
    giveBack(this.#buffer);
    this.#buffer = larger;
  }

  async #write(bytes: Buffer, isFirst: boolean): Promise<void> {
    try {
      this.#handle ??= await open(this.path, isFirst ? NEW_FILE : EXISTING_FILE, FILE_MODE);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done);
        done += bytesWritten;
      }
    } catch (error) {
      throw diskError(`cannot write ${this.path}`, error);
    }
  }
}

/** Waits until all parts end, so that none continues after a failure; throws the first failure. */
async function both(...parts: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === "rejected") throw part.reason;
}
