/** The bytes of one response that are in the buffers of its partitions: each writer adds and removes its own. */

import { pendingBytesMax } from "../limits/disk.ts";

export class PendingBytes {
  #bytes = 0;

  /** Whether every partition must release its buffers before more bytes are taken. */
  get isFull(): boolean {
    return this.#bytes > pendingBytesMax;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Counts bytes that were written or dropped. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < 0) throw new Error("more bytes were written than were pending");
  }
}
