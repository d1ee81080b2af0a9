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

/** UTF-8 needs at most three bytes for a UTF-16 code unit. */
const BYTES_PER_CODE_UNIT_MAX = 3;

export class CopyListWriter {
  readonly path: string;
  readonly #hash: RunningHash;
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  #pending = 0;
  #written = 0;
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
    return this.#written + this.#pending;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  /** Whether it is time to {@link flush}. */
  get isFull(): boolean {
    return this.#pending >= writeBufferBytes;
  }

  /** @param encoding of a text: `latin1` where it has a character for each byte */
  append(copy: string | Buffer, encoding: "utf8" | "latin1" = "utf8"): void {
    const bytesPerUnit = typeof copy === "string" && encoding === "utf8" ? BYTES_PER_CODE_UNIT_MAX : 1;
    this.#reserve(1 + copy.length * bytesPerUnit);
    this.#buffer[this.#pending++] = this.#accounts++ === 0 ? OPEN_LIST : COMMA;
    this.#pending +=
      typeof copy === "string"
        ? this.#buffer.write(copy, this.#pending, encoding)
        : copy.copy(this.#buffer, this.#pending);
  }

  /** @throws Failure `disk` */
  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    const bytes = this.#buffer.subarray(0, this.#pending);
    this.#hash.update(bytes);
    await this.#write(bytes);
    this.#pending = 0;
  }

  /** Flushes, and gives back the buffer and the file handle until there is more. */
  async release(): Promise<void> {
    await this.flush();
    this.#buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
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

  async #write(bytes: Buffer): Promise<void> {
    try {
      this.#handle ??= await open(this.path, this.#written === 0 ? "w" : "r+");
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#written);
        done += bytesWritten;
        this.#written += bytesWritten;
      }
    } catch (error) {
      throw diskFailure(`cannot write ${this.path}`, error);
    }
  }
}
