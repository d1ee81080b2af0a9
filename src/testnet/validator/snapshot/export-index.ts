/**
 * The index beside an artifact: the offset of each account, so that a range of accounts is found by bisection and read
 * without the accounts before it.
 *
 * An entry has 44 bytes: the address, the offset of the account's copy in the artifact, and the copy's length. The highest
 * bit of the offset marks an account whose data is a string (in the copy, all data is text).
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export interface IndexEntry {
  readonly accountId: string;
  /** Of the copy in the artifact, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly isText: boolean;
}

const addressBytes = 32;
const lengthOffset = addressBytes + 8;
const entryBytes = lengthOffset + 4;
const textBit = 1n << 63n;

/** The number of entries that are written and read together. */
export const indexPageEntries = 64;

export function indexFile(artifactPath: string): string {
  return artifactPath.replace(/\.json$/, ".index");
}

export class IndexWriter {
  readonly #handle: FileHandle;
  readonly #page = Buffer.alloc(indexPageEntries * entryBytes);
  #pending = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(path: string): Promise<IndexWriter> {
    return new IndexWriter(await open(path, "w"));
  }

  /** Must be called in ascending order of addresses. */
  async add({ accountId, offset, bytes, isText }: IndexEntry): Promise<void> {
    this.#page.write(accountId, this.#pending, "hex");
    const position = BigInt(offset) | (isText ? textBit : 0n);
    this.#page.writeBigUInt64BE(position, this.#pending + addressBytes);
    this.#page.writeUInt32BE(bytes, this.#pending + lengthOffset);
    this.#pending += entryBytes;
    if (this.#pending === this.#page.length) await this.#flush();
  }

  /** Writes the rest, and syncs and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#flush();
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }

  async #flush(): Promise<void> {
    await this.#handle.writeFile(this.#page.subarray(0, this.#pending));
    this.#pending = 0;
  }
}

/** An open index. Reads are synchronous, since they are small and usually cached by the system. */
export class IndexReader {
  readonly #descriptor: number;
  readonly count: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    this.count = fstatSync(this.#descriptor).size / entryBytes;
  }

  /** Returns the entries from `from` up to but excluding `to`. */
  entries(from: number, to: number): IndexEntry[] {
    const page = Buffer.alloc((to - from) * entryBytes);
    readSync(this.#descriptor, page, 0, page.length, from * entryBytes);
    return Array.from({ length: to - from }, (_, index) => {
      const at = index * entryBytes;
      const position = page.readBigUInt64BE(at + addressBytes);
      return {
        accountId: page.toString("hex", at, at + addressBytes),
        offset: Number(position & ~textBit),
        bytes: page.readUInt32BE(at + lengthOffset),
        isText: (position & textBit) !== 0n,
      };
    });
  }

  /** Returns the place of the first account at or after an address; with `isExclusive`, after it. */
  placeOf(address: string, isExclusive: boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const accountId = this.entries(middle, middle + 1)[0]?.accountId ?? "";
      if (isExclusive ? accountId > address : accountId >= address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
