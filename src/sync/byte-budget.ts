/**
 * How much of the disk answers may take before a hash confirms it. Nothing in the protocol says how large a
 * partition is; what several nodes send is believed, and an endless answer costs a budget rather than the disk
 * (docs/decisions/0004).
 */

import { ResponseError } from "../errors/response-error.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { Offence } from "../events/assemble-events.ts";
import {
  answerBytesPerPartition,
  partitionBytesMax,
  unconfirmedBytesFirst,
  unconfirmedDiskShare,
  unconfirmedDiskShareLast,
  unconfirmedFactor,
  unconfirmedPerConfirmed,
} from "../limits/limits.ts";
import type { PeerPool } from "./peer-pool.ts";

/** Other nodes that must have outgrown the budget before it grows for the next one. */
const OUTGROWN_BEFORE_GROWTH = 2;

/** How long the free space is taken to be what it was, apart from what the answers have taken since. */
const freeBytesMaxAgeMs = 100;

interface Outgrown {
  readonly nodeIndex: number;
  readonly partition: number;
  readonly bytes: number;
}

export class ByteBudgetOfResponses {
  readonly #book: PeerPool;
  readonly #freeBytes: () => Promise<number>;
  readonly #outgrown: Outgrown[] = [];
  /** Nodes that have outgrown the present budget. */
  readonly #outgrownBy = new Set<number>();
  #bytes = unconfirmedBytesFirst;
  /** Of the largest partition that a hash has confirmed. */
  #confirmedMax = 0;
  /** Answer → unconfirmed bytes of it on the disk. */
  readonly #held = new Map<number, number>();
  #diskShare = unconfirmedDiskShare;
  #disk: { readonly atMs: number; readonly bytes: number } | undefined;

  /** @param freeBytes of the disk that answers are written to */
  constructor(book: PeerPool, freeBytes: () => Promise<number>) {
    this.#book = book;
    this.#freeBytes = freeBytes;
  }

  /** What one answer may hold unconfirmed, unless other nodes have sent as much. */
  get #answerBytes(): number {
    return Math.max(this.#bytes, unconfirmedPerConfirmed * this.#confirmedMax);
  }

  /**
   * Whether an answer may go on that holds so many bytes of which no hash is known to be right yet.
   *
   * @throws SnapshotError `disk` where all answers together would take too much of the disk
   */
  async mayHold(answer: number, nodeIndex: number, partition: number, bytes: number): Promise<boolean> {
    this.#held.set(answer, bytes);
    if (bytes > this.#answerBytes && !this.#mayGrow(nodeIndex, partition)) {
      // At once, for the next one who sends as much: this answer still takes a while to end.
      this.#outgrownBy.add(nodeIndex);
      return false;
    }
    await this.#requireSpace();
    return true;
  }

  /** The answer is over: what it held is confirmed, or removed. */
  ended(answer: number): void {
    this.#held.delete(answer);
  }

  /** Lets a single answer take more of the disk than several together. */
  allowLastShare(): void {
    this.#diskShare = unconfirmedDiskShareLast;
  }

  /** A node was broken off: it is asked for that partition again only when the budget has grown. */
  refuse(nodeIndex: number, partition: number, bytes: number): void {
    this.#outgrown.push({ nodeIndex, partition, bytes });
    const reason = `sent more than anybody else so far: ${bytes} bytes, not the end of it`;
    this.#book.refuse(nodeIndex, partition, "outgrown", reason);
  }

  /** A hash has confirmed a partition. Returns who sent more for it than it has. */
  confirmed(partition: number, trueBytes: number): Offence[] {
    this.#confirmedMax = Math.max(this.#confirmedMax, trueBytes);
    const liars = this.#outgrown.filter((sent) => sent.partition === partition && sent.bytes > trueBytes);
    return liars.map(({ nodeIndex, bytes }) => {
      const detail = `sent more than ${bytes} bytes for a partition of ${trueBytes}`;
      return { node: this.#book.node(nodeIndex).id, kind: "oversized-answer", partition, detail };
    });
  }

  /** An answer that is no longer than so many partitions may be, kept or not. */
  async *bounded(chunks: AsyncIterable<Buffer>, partitions: number): AsyncGenerator<Buffer, void, void> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > partitions * Math.max(answerBytesPerPartition, this.#answerBytes)) {
        throw new ResponseError("over-budget", `the answer goes on after ${bytes} bytes`);
      }
      yield chunk;
    }
  }

  /** The budget grows only where other nodes have sent as much, or there is nobody else to ask. */
  #mayGrow(nodeIndex: number, partition: number): boolean {
    const others = this.#outgrownBy.size - (this.#outgrownBy.has(nodeIndex) ? 1 : 0);
    const isBelieved = others >= OUTGROWN_BEFORE_GROWTH || !this.#book.hasOther(nodeIndex, partition);
    if (!isBelieved || this.#answerBytes >= partitionBytesMax) return false;
    this.#bytes = this.#answerBytes * unconfirmedFactor;
    this.#outgrownBy.clear();
    this.#book.forgive("outgrown");
    return true;
  }

  async #requireSpace(): Promise<void> {
    let held = 0;
    for (const bytes of this.#held.values()) held += bytes;
    const nowMs = performance.now();
    if (this.#disk === undefined || nowMs - this.#disk.atMs > freeBytesMaxAgeMs) {
      // What answers hold now would be free without them.
      this.#disk = { atMs: nowMs, bytes: (await this.#freeBytes()) + held };
    }
    if (held <= this.#diskShare * this.#disk.bytes) return;
    const problem = `${held} bytes that no hash has confirmed yet are too much for a disk with ${this.#disk.bytes} free bytes`;
    throw new SnapshotError("disk", problem, {
      cause: Object.assign(new Error(problem), { code: "ENOSPC" }),
      hint: "Free some space and run again: what is verified already is kept and not fetched again.",
    });
  }
}
