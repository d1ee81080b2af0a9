/** The {@link ChangeIndex} beside an artifact, as a file: a delta is read without the accounts that did not change. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ChangeBlock, ChangeIndex, changeEntryBytes } from "../state/change-index.ts";

export function changeFile(artifactPath: string): string {
  return artifactPath.replace(/\.json$/, ".changes");
}

export class ChangeFileWriter {
  readonly #handle: FileHandle;
  readonly #block = new ChangeBlock();

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(path: string): Promise<ChangeFileWriter> {
    return new ChangeFileWriter(await open(path, "w"));
  }

  /** Must be called in ascending order of addresses. */
  async add(timestampMs: number): Promise<void> {
    this.#block.add(timestampMs);
    if (this.#block.isFull) await this.#handle.writeFile(this.#block.take());
  }

  /** Writes the rest, and syncs and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#handle.writeFile(this.#block.take());
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }
}

/** An open index. Reads are synchronous, since they are small and usually cached by the system. */
export class ChangeFileReader {
  readonly #descriptor: number;
  readonly index: ChangeIndex;

  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    const count = fstatSync(this.#descriptor).size / changeEntryBytes;
    this.index = new ChangeIndex(count, (from, to) => this.#read(from, to));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(from: number, to: number): Buffer {
    const entries = Buffer.alloc((to - from) * changeEntryBytes);
    readSync(this.#descriptor, entries, 0, entries.length, from * changeEntryBytes);
    return entries;
  }
}
