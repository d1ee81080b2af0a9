/**
 * Writes copies as the text of a list, which is what a partition's preimage is, and hashes it on the way: to a
 * file that is open only while it is written to. While one buffer is hashed and written, the other is filled.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { diskError } from "../errors/snapshot-error.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import { HashThread, type ThreadHash } from "./hash-thread.ts";
import { giveBack, largeBuffer, largerBuffer, shareable, smallBuffer } from "./list-buffer.ts";

/** A file that is there already, or a link, is not written to. */
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL;
const MORE_OF_IT = O_WRONLY | O_APPEND | O_NOFOLLOW;
const FILE_MODE = 0o644;

const OPEN_LIST = 0x5b;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;

export class PreimageWriter {
  readonly path: string;
  /** Who hashes: this thread, until there is much to hash and another one for it. */
  readonly #hash: RunningHash;
  #threadHash: ThreadHash | undefined;
  #buffer = smallBuffer();
  #pending = 0;
  /** What was flushed last, and the buffer that it is in: it may still be on its way. */
  #flushed: Buffer = Buffer.alloc(0);
  #flushing: Buffer | undefined;
  #isFlushed: Promise<unknown> = Promise.resolve();
  #flushedBytes = 0;
  #accounts = 0;
  #handle: FileHandle | undefined;

  constructor(path: string, hashKey: string) {
    this.path = path;
    this.#hash = new RunningHash(hashKey);
  }

  /** Writes a whole list; answers its hash. Leaves no file open, whatever happens. */
  static async writeAll(
    path: string,
    hashKey: string,
    copies: Iterable<Buffer> | AsyncIterable<Buffer>,
  ): Promise<{ writer: PreimageWriter; hash: string }> {
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

  /** Bytes so far, those included that are still in the buffer. */
  get bytes(): number {
    return this.#flushedBytes + this.#pending;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  /** Whether it is time to {@link flush}. */
  get isFull(): boolean {
    return this.#pending >= writeBufferBytes;
  }

  /** @param copies with commas between them, where there are several */
  append(copies: Buffer, count = 1): void {
    this.#reserve(1 + copies.length);
    this.#buffer[this.#pending++] = this.#accounts === 0 ? OPEN_LIST : COMMA;
    this.#accounts += count;
    this.#pending += copies.copy(this.#buffer, this.#pending);
  }

  /** Whether the last copy, which has so many bytes, is this one. Not to be asked after a release. */
  endsWith(copy: Buffer, lastCopyBytes: number): boolean {
    const last = this.#pending > 0 ? this.#buffer.subarray(0, this.#pending) : this.#flushed;
    return last.subarray(last.length - lastCopyBytes).equals(copy);
  }

  /**
   * Begins to hash and to write what has gathered. Waits for the flush before: what is on its way is one buffer
   * at the most, and a slow disk slows down whoever brings more.
   *
   * @throws SnapshotError `disk`, of the flush before perhaps
   */
  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    const bytes = this.#buffer.subarray(0, this.#pending);
    if (this.isFull) this.#threadHash ??= HashThread.shared().adopt(this.#hash);
    if (this.#threadHash === undefined) this.#hash.update(bytes);
    await this.#isFlushed;
    const hashed = this.#threadHash?.update(shareable(bytes));
    this.#isFlushed = both(hashed, this.#write(bytes, this.#flushedBytes === 0));
    this.#isFlushed.catch(() => undefined); // told to whoever flushes or releases next
    const free = this.#flushing ?? largeBuffer();
    this.#flushing = this.#buffer;
    this.#buffer = free;
    this.#flushed = bytes;
    this.#flushedBytes += bytes.length;
    this.#pending = 0;
  }

  /** Flushes, and gives back the buffers and the file handle until there is more. */
  async release(): Promise<void> {
    await this.flush();
    await this.#letGo();
  }

  /** The hash of the list if it ended here. Nothing may be appended before the answer. */
  hashIfClosed(): Promise<string> {
    this.#reserve(2);
    const end = this.#pending + this.#close(this.#pending);
    const bytes = this.#buffer.subarray(0, end);
    if (this.#threadHash !== undefined) return this.#threadHash.digestWith(shareable(bytes));
    return Promise.resolve(this.#hash.copy().update(bytes).digest());
  }

  /** Ends the list and the file; answers the hash of the list. */
  async close(): Promise<string> {
    this.#reserve(2);
    this.#pending += this.#close(this.#pending);
    await this.release();
    if (this.#threadHash === undefined) return this.#hash.digest();
    const hash = await this.#threadHash.digestWith(new Uint8Array(0));
    this.#forgetThread();
    return hash;
  }

  /** Lets go of the file as it is. */
  async abandon(): Promise<void> {
    this.#pending = 0;
    this.#forgetThread();
    await this.#letGo().catch(() => undefined);
  }

  /** Writes the end of the list at a place in the buffer; answers its length. */
  #close(at: number): number {
    if (this.#accounts > 0) {
      this.#buffer[at] = CLOSE_LIST;
      return 1;
    }
    this.#buffer[at] = OPEN_LIST;
    this.#buffer[at + 1] = CLOSE_LIST;
    return 2;
  }

  #forgetThread(): void {
    this.#threadHash?.forget();
    this.#threadHash = undefined;
  }

  async #letGo(): Promise<void> {
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
      this.#handle ??= await open(this.path, isFirst ? NEW_FILE : MORE_OF_IT, FILE_MODE);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done);
        done += bytesWritten;
      }
    } catch (error) {
      throw diskError(`cannot write ${this.path}`, error);
    }
  }
}

/** Waits for the ends of both, so that nothing goes on behind a failure; throws the first one's. */
async function both(...parts: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === "rejected") throw part.reason;
}
