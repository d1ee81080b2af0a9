/** The disk of a simulated run: stored partitions and what responses hold share its space, and beginnings are files. */

import { diskError } from "../errors/snapshot-error.ts";
import type { VirtualList } from "./virtual-list.ts";

interface VirtualFile {
  readonly list: VirtualList;
  readonly bytes: number;
}

export class VirtualDisk {
  readonly #bytesMax: number;
  readonly #files = new Map<string, VirtualFile>();
  /** Of other snapshots: they take no space of the run. */
  readonly #seedFiles = new Map<string, VirtualList>();
  #used = 0;
  #kept = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get freeBytes(): number {
    return this.#bytesMax - this.#used;
  }

  /** How many files were kept so far. */
  get kept(): number {
    return this.#kept;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Returns how many beginnings each partition has, by what they are named. */
  filesOf(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const path of this.#files.keys()) {
      const partition = path.slice(path.lastIndexOf("/") + 1);
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    return counts;
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

  /** Makes bytes that were written a file. */
  keep(path: string, list: VirtualList, bytes: number): void {
    this.#kept++;
    this.#files.set(path, { list, bytes });
  }

  keepSeed(path: string, list: VirtualList): void {
    this.#seedFiles.set(path, list);
  }

  /** Returns the content of a file; `undefined` if it was removed. */
  read(path: string): VirtualList | undefined {
    return this.#files.get(path)?.list ?? this.#seedFiles.get(path);
  }

  /** Returns whether there was such a file of the run. */
  removeFile(path: string): boolean {
    this.#used -= this.#files.get(path)?.bytes ?? 0;
    return this.#files.delete(path);
  }
}
