/**
 * Receives the copies of one partition of one response, and computes their hash. Copies in order, the usual case, are
 * hashed as they arrive. From the first copy out of order on they are only written, and sorted at the end.
 */

import { rm } from "node:fs/promises";
import { accountIdAt, type CopyRun } from "../canonical/copy-run.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { type SortedPartition, sortPartition } from "./external-sort.ts";
import type { PendingBytes } from "./pending-bytes.ts";
import { PreimageWriter } from "./preimage-writer.ts";

export interface FinishedPartition {
  readonly hash: HashHex;
  readonly accounts: number;
  readonly bytes: number;
  /** The file with the preimage. */
  readonly path: string;
  /** Identical repetitions, apart from those that {@link IncomingPartition.add} reported. */
  readonly duplicates: number;
  /** An account that appeared twice with different content. */
  readonly conflict: string | undefined;
}

export class IncomingPartition {
  readonly partition: Partition;
  readonly #writer: PreimageWriter;
  readonly #hashKey: string;
  #isSorted = true;
  #firstId = "";
  #lastId = "";
  /** The length of the last copy; 0 after a release, which does not keep the copy in memory: copies may be large, and
   *  partitions many. */
  #lastCopyBytes = 0;
  #conflict: string | undefined;

  /** @param budget shared with the other partitions of the response */
  constructor(partition: Partition, path: string, hashKey: string, budget?: PendingBytes) {
    this.partition = partition;
    this.#writer = new PreimageWriter(path, hashKey, budget);
    this.#hashKey = hashKey;
  }

  get accounts(): number {
    return this.#writer.accounts;
  }

  get bytes(): number {
    return this.#writer.bytes;
  }

  get isFull(): boolean {
    return this.#writer.isFull;
  }

  /**
   * The IDs of the first and the last account; `undefined` without accounts, or if they are out of order or contradict
   * each other.
   */
  get range(): { readonly firstId: string; readonly lastId: string } | undefined {
    if (!this.#isSorted || this.#conflict !== undefined || this.accounts === 0) return undefined;
    return { firstId: this.#firstId, lastId: this.#lastId };
  }

  get path(): string {
    return this.#writer.path;
  }

  /** Returns `duplicate` where the first copy repeats the last one before it, and is dropped. */
  add(run: CopyRun): "added" | "duplicate" {
    if (this.accounts === 0) this.#firstId = accountIdAt(run.bytes, 0);
    const isRepeated = this.#noteFirst(run);
    const rest = isRepeated ? run.bytes.subarray(run.firstEnd + 1) : run.bytes;
    if (rest.length > 0) {
      this.#lastId = accountIdAt(run.bytes, run.lastStart);
      this.#lastCopyBytes = run.bytes.length - run.lastStart;
      this.#writer.append(rest, isRepeated ? run.count - 1 : run.count);
    }
    return isRepeated ? "duplicate" : "added";
  }

  /** Compares the first copy with those before it; returns whether it repeats the last one. */
  #noteFirst({ bytes, firstEnd }: CopyRun): boolean {
    const accountId = accountIdAt(bytes, 0);
    if (accountId > this.#lastId) return false;
    // A release has dropped the last copy from memory: the sort compares the two.
    if (accountId < this.#lastId || this.#lastCopyBytes === 0) this.#isSorted = false;
    else if (this.#writer.endsWith(bytes.subarray(0, firstEnd), this.#lastCopyBytes)) return true;
    else this.#conflict ??= accountId;
    return false;
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  release(): Promise<void> {
    this.#lastCopyBytes = 0;
    return this.#writer.release();
  }

  /** Whether the partition, if it ended here, would hash to the given hash. */
  async matches(hash: HashHex): Promise<boolean> {
    return this.#isSorted && (await this.#writer.hashIfClosed()) === hash;
  }

  /** Ends the partition; sorts it if it is out of order. */
  async finish(): Promise<FinishedPartition> {
    const closed = {
      writer: this.#writer,
      hash: await this.#writer.close(),
      duplicates: 0,
      conflict: undefined,
    };
    if (this.#isSorted) return this.#finished(closed);
    const sorted = await sortPartition(this.#writer.path, `${this.#writer.path}.sorted`, this.#hashKey);
    await rm(this.#writer.path, { force: true });
    return this.#finished(sorted);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#writer.abandon();
    await rm(this.#writer.path, { force: true });
    await rm(`${this.#writer.path}.sorted`, { force: true });
  }

  #finished({ writer, hash, duplicates, conflict }: SortedPartition): FinishedPartition {
    const { accounts, bytes, path } = writer;
    return { hash, accounts, bytes, path, duplicates, conflict: this.#conflict ?? conflict };
  }
}
