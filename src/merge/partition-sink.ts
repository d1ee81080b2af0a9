/**
 * Takes the copies of one partition out of one answer, and says in the end what they hash to. In order,
 * which is the usual case, they are hashed as they go by; from the first one out of order on they are only
 * written down, and sorted at the end.
 */

import { rm } from "node:fs/promises";
import { CopyListWriter } from "./copy-list-writer.ts";
import { type SortedPartition, sortPartition } from "./sort-partition.ts";

export interface FinishedPartition {
  readonly hash: string;
  readonly accounts: number;
  readonly bytes: number;
  /** Where the preimage is. */
  readonly path: string;
  /** Copies that were there twice, identically, apart from those that {@link PartitionSink.add} told of. */
  readonly duplicates: number;
  /** An account that was there twice with different content. */
  readonly conflict: string | undefined;
}

export class PartitionSink {
  readonly partition: number;
  readonly #writer: CopyListWriter;
  readonly #hashKey: string;
  #isSorted = true;
  #isCertain = true;
  #lastId = "";
  /** Not kept while accounts go elsewhere: a copy may be large, and partitions are many. */
  #lastCopy: string | undefined;
  #conflict: string | undefined;

  constructor(partition: number, path: string, hashKey: string) {
    this.partition = partition;
    this.#writer = new CopyListWriter(path, hashKey);
    this.#hashKey = hashKey;
  }

  /** Whether all copies were made by parsing: then a wrong hash is the sender's doing. */
  get isCertain(): boolean {
    return this.#isCertain;
  }

  get accounts(): number {
    return this.#writer.accounts;
  }

  get bytes(): number {
    return this.#writer.bytes;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes;
  }

  get isFull(): boolean {
    return this.#writer.isFull;
  }

  /** Answers `duplicate` for a copy that repeats the last one, which is not kept. */
  add(accountId: string, copy: string, encoding: "utf8" | "latin1" = "utf8"): "added" | "duplicate" {
    if (accountId === this.#lastId) {
      if (copy === this.#lastCopy) return "duplicate";
      // Whether it is the same as one that was let go of, the sort finds out.
      if (this.#lastCopy === undefined) this.#isSorted = false;
      else this.#conflict ??= accountId;
    } else if (accountId < this.#lastId) {
      this.#isSorted = false;
    }
    this.#lastId = accountId;
    this.#lastCopy = copy;
    this.#writer.append(copy, encoding);
    if (encoding === "latin1") this.#isCertain = false;
    return "added";
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  release(): Promise<void> {
    this.#lastCopy = undefined;
    return this.#writer.release();
  }

  /** Whether the partition, if it ended here, would hash to the given hash. */
  matches(hash: string): boolean {
    return this.#isSorted && this.#writer.hashIfClosed() === hash;
  }

  /** Ends the partition; sorts it where that is needed. */
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
