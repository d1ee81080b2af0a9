/**
 * Completes a partition: the sorted union of a base and of the accounts of a response. Of two accounts with the same ID,
 * the newer one is taken. Only the hash of the result tells whether it is right.
 */

import { type ListEntry, readEntries } from "../artifact/list-entries.ts";
import type { BaseSource } from "../artifact/response-report.ts";
import { accountIdAt } from "../canonical/copy-run.ts";
import type { HashHex } from "../protocol/brands.ts";
import { type Batch, placeOf, readBatches } from "./base-text.ts";
import { ListWriter } from "./list-writer.ts";

export interface MergeOrder {
  readonly base: readonly BaseSource[];
  /** A closed list of the response's accounts in order; `undefined` if it had none. */
  readonly received: string | undefined;
  /** The file to write, which must not exist. */
  readonly path: string;
  readonly hashKey: string;
  /** The moment of the snapshot, in milliseconds: no account of it is newer. */
  readonly timestamp: number;
}

export interface MergedList {
  readonly hash: HashHex;
  readonly accounts: number;
  readonly bytes: number;
  /** How many of the bytes are the base's. */
  readonly baseBytes: number;
}

/** @throws BaseError, or an error of the file system; the file is left as it is */
export async function mergeLists(order: MergeOrder): Promise<MergedList> {
  const writer = new ListWriter(order.path, order.hashKey);
  try {
    const baseBytes = await new ListMerge(order, writer).run();
    const { accounts } = writer;
    const hash = writer.close();
    return { hash, accounts, bytes: writer.bytes, baseBytes };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

class ListMerge {
  readonly #order: MergeOrder;
  readonly #writer: ListWriter;
  readonly #received: AsyncIterator<ListEntry, void, void>;
  #baseBytes = 0;

  constructor(order: MergeOrder, writer: ListWriter) {
    this.#order = order;
    this.#writer = writer;
    this.#received = order.received === undefined ? nothing() : readEntries(order.received);
  }

  async run(): Promise<number> {
    try {
      let next = await this.#received.next();
      for await (const batch of readBatches(this.#order.base, this.#order.timestamp)) {
        let from = 0;
        const end = batch.starts.length - 1;
        while (next.done !== true) {
          const { id, copy } = next.value;
          const place = placeOf(batch, id, false, from);
          this.#takeOver(batch, from, place);
          from = place;
          if (place === end) break;
          if (accountIdAt(batch.text, batch.starts[place] as number) === id) {
            this.#writer.append(this.#newer(copyOf(batch, place), copy), 1);
            from++;
          } else this.#writer.append(copy, 1);
          next = await this.#received.next();
        }
        this.#takeOver(batch, from, end);
      }
      for (; next.done !== true; next = await this.#received.next()) this.#writer.append(next.value.copy, 1);
    } finally {
      await this.#received.return?.();
    }
    return this.#baseBytes;
  }

  #takeOver(batch: Batch, from: number, to: number): void {
    if (from === to) return;
    const copies = batch.text.subarray(batch.starts[from], (batch.starts[to] as number) - 1);
    this.#writer.append(copies, to - from);
    this.#baseBytes += copies.length;
  }

  /** An account of the base that is newer than the snapshot is wrong in any case. */
  #newer(own: Buffer, received: Buffer): Buffer {
    const ownMs = timestampOf(own);
    return ownMs > timestampOf(received) && ownMs <= this.#order.timestamp ? own : received;
  }
}

function copyOf({ text, starts }: Batch, place: number): Buffer {
  return text.subarray(starts[place], (starts[place + 1] as number) - 1);
}

const timestampKey = Buffer.from('"timestamp":');

/** The timestamp is the last property of a copy. */
function timestampOf(copy: Buffer): number {
  const at = copy.lastIndexOf(timestampKey);
  return at < 0 ? Number.NaN : Number(copy.toString("latin1", at + timestampKey.length, copy.length - 1));
}

async function* nothing(): AsyncGenerator<ListEntry, void, void> {
  yield* [];
}
