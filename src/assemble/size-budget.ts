/**
 * How large partitions may be. Nothing in the protocol says so; what two nodes and more say is believed, and
 * an endless answer costs a budget rather than the disk (docs/decisions/0004).
 */

import { AnswerError } from "../merge/answer-error.ts";
import { partitionBudgetBytes, partitionBudgetFactor, partitionBytesMax } from "../model/limits.ts";
import type { NodeBook } from "./node-book.ts";
import type { Offence } from "./reporter.ts";

/** Nodes that must say that a partition is larger than its budget before the budget grows. */
const OUTGROWN_BEFORE_GROWTH = 2;

interface Outgrown {
  readonly nodeIndex: number;
  readonly partition: number;
  readonly bytes: number;
}

export class SizeBudget {
  readonly #book: NodeBook;
  readonly #outgrown: Outgrown[] = [];
  #bytes = partitionBudgetBytes;

  constructor(book: NodeBook) {
    this.#book = book;
  }

  /** A partition outgrows its budget only if other nodes say the same, or there is nobody else to ask. */
  mayGrow(nodeIndex: number, partition: number, bytes: number): boolean {
    if (bytes <= this.#bytes) return true;
    const isBelieved =
      this.#book.countRefusals(partition, "outgrown") >= OUTGROWN_BEFORE_GROWTH ||
      !this.#book.hasOther(nodeIndex, partition);
    if (!isBelieved || this.#bytes >= partitionBytesMax) return false;
    this.#bytes *= partitionBudgetFactor;
    this.#book.forgive(partition, "outgrown");
    return true;
  }

  /** A node was broken off: it is asked for that partition again only when the budget has grown. */
  refuse(nodeIndex: number, partition: number, bytes: number): void {
    this.#outgrown.push({ nodeIndex, partition, bytes });
    this.#book.refuse(nodeIndex, partition, "outgrown", `sent more than ${bytes} bytes for it`);
  }

  /** Who sent more for a partition than it turned out to have. */
  offencesFor(partition: number, trueBytes: number): Offence[] {
    const liars = this.#outgrown.filter((sent) => sent.partition === partition && sent.bytes > trueBytes);
    return liars.map(({ nodeIndex, bytes }) => {
      const detail = `sent more than ${bytes} bytes for a partition of ${trueBytes}`;
      return { node: this.#book.node(nodeIndex).id, kind: "oversized-answer", partition, detail };
    });
  }

  /** An answer that is no longer than so many partitions may be. */
  async *bounded(chunks: AsyncIterable<Buffer>, partitions: number): AsyncGenerator<Buffer, void, void> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > partitions * this.#bytes) {
        throw new AnswerError("too-large", `the answer goes on after ${bytes} bytes`);
      }
      yield chunk;
    }
  }
}
