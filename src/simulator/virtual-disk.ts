/** The disk of a simulated run: stored partitions and what responses hold share its space. */

import { diskError } from "../errors/snapshot-error.ts";

export class VirtualDisk {
  readonly #bytesMax: number;
  #used = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get freeBytes(): number {
    return this.#bytesMax - this.#used;
  }

  /**
   * Uses up space.
   *
   * @throws SnapshotError `disk` where the bytes do not fit
   */
  write(bytes: number): void {
    if (bytes > this.freeBytes)
      throw diskError("cannot write", Object.assign(new Error("no space left"), { code: "ENOSPC" }));
    this.#used += bytes;
  }

  remove(bytes: number): void {
    this.#used -= bytes;
  }
}
