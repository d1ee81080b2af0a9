/**
 * Writes copies as the text of a list, which is what a partition's preimage is, and hashes it on the way:
 * through one buffer, to a file that is open only while it is written to.
 */

import { type FileHandle, open } from "node:fs/promises";
import { diskFailure } from "../model/failure.ts";
import { RunningHash } from "../model/hash.ts";
import { writeBufferBytes } from "../model/limits.ts";

const OPEN_LIST = 0x5b;
const COMMA = 0x2c;
const CLOSE_LIST = Buffer.from("]");
const FIRST_BUFFER_BYTES = 4096;

export class CopyListWriter {
  readonly path: string;
  readonly #hash: RunningHash;
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  #pending = 0;
  /** What was flushed last, which may still be on its way to the file. */
  #flushed: Buffer = Buffer.alloc(0);
  #flushedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** The buffer that is being written, and free after that. */
  #spare: Buffer | undefined;
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
  ): Promise<{ writer: CopyListWriter; hash: string }> {
    const writer = new CopyListWriter(path, hashKey);
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
   * Hashes what has gathered, and begins to write it. Waits for the write before: what is on its way is one
   * buffer at the most, and a slow disk slows down whoever brings more.
   *
   * @throws Failure `disk`, of an earlier write perhaps
   */
  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    const bytes = this.#buffer.subarray(0, this.#pending);
    this.#hash.update(bytes);
    await this.#writing;
    this.#flushed = bytes;
    [this.#buffer, this.#spare] = [this.#spare ?? Buffer.allocUnsafe(this.#buffer.length), this.#buffer];
    this.#writing = this.#write(bytes, this.#flushedBytes);
    // Told to whoever flushes or releases next.
    this.#writing.catch(() => undefined);
    this.#flushedBytes += bytes.length;
    this.#pending = 0;
  }

  /** Flushes, and gives back the buffers and the file handle until there is more. */
  async release(): Promise<void> {
    await this.flush();
    await this.#writing;
    this.#buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
    this.#flushed = Buffer.alloc(0);
    this.#spare = undefined;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** The hash of the list if it ended here. */
  hashIfClosed(): string {
    const hash = this.#hash.copy();
    hash.update(this.#accounts === 0 ? Buffer.from("[") : this.#buffer.subarray(0, this.#pending));
    return hash.update(CLOSE_LIST).digest();
  }

  /** Ends the list and the file; answers the hash of the list. */
  async close(): Promise<string> {
    this.#reserve(2);
    if (this.#accounts === 0) this.#buffer[this.#pending++] = OPEN_LIST;
    this.#pending += CLOSE_LIST.copy(this.#buffer, this.#pending);
    await this.release();
    return this.#hash.digest();
  }

  /** Lets go of the file as it is. */
  async abandon(): Promise<void> {
    this.#pending = 0;
    await this.#writing.catch(() => undefined);
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #reserve(bytes: number): void {
    const needed = this.#pending + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(
      Math.max(needed, Math.min(2 * this.#buffer.length, 2 * writeBufferBytes)),
    );
    this.#buffer.copy(larger, 0, 0, this.#pending);
    this.#buffer = larger;
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    try {
      this.#handle ??= await open(this.path, position === 0 ? "w" : "r+");
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw diskFailure(`cannot write ${this.path}`, error);
    }
  }
}
