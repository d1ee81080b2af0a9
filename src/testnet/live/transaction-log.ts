/** The transaction log of a live cluster: a file that only grows, and that others follow from any place. */

import { EventEmitter, once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { writeBufferBytes } from "../../limits/disk.ts";
import type { LogEntry } from "../validator/state/log-entry.ts";

export class TransactionLog {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #growth = new EventEmitter<{ grown: [] }>();
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
    this.#growth.setMaxListeners(0); // one for each that follows
  }

  /** A new log; there must be none. */
  static async create(path: string): Promise<TransactionLog> {
    return new TransactionLog(path, await open(path, "wx+"));
  }

  /** One call at a time. @throws the system's error of a full or broken disk */
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

  /** What there is from a place on, and then what is added, until the signal. */
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
