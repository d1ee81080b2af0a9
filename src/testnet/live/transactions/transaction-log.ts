/** The transaction log of a live cluster: an append-only file, which readers follow from any position. */

import { EventEmitter, once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { writeBufferBytes } from "../../../limits/disk.ts";
import type { LogEntry } from "../../validator/state/log-entry.ts";

export class TransactionLog {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #growth = new EventEmitter<{ grown: [] }>();
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
    this.#growth.setMaxListeners(0); // one for each reader
  }

  /** Creates the file, which must not exist. */
  static async create(path: string): Promise<TransactionLog> {
    return new TransactionLog(path, await open(path, "wx+"));
  }

  /**
   * Must not run concurrently.
   *
   * @throws the system's error of a full or broken disk
   */
  async append(entries: readonly LogEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    for (let done = 0; done < text.length; ) {
      const { bytesWritten } = await this.#handle.write(text, done, text.length - done, this.#bytes + done);
      done += bytesWritten;
    }
    this.#bytes += text.length;
    this.#growth.emit("grown");
  }

  /** Yields the log from a position on, and everything appended later, until the signal is aborted. */
  async *follow(from: number, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
    let position = from;
    while (!signal.aborted) {
      if (position >= this.#bytes) {
        await once(this.#growth, "grown", { signal }).catch(() => undefined);
        continue;
      }
      const bytes = Buffer.alloc(Math.min(writeBufferBytes, this.#bytes - position));
      const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, position);
      position += bytesRead;
      yield bytes.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
