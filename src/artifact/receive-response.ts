/**
 * Merges one answer into partitions: bytes → records → canonical copies → the partition that each belongs
 * to. A partition whose hash is the agreed one is handed over at once; whatever happens to the rest of the
 * answer, it stays. Who sent the answer is not known here, nor needed.
 */

import type { CopyRun } from "../canonical/copy-run.ts";
import { ResponseReader } from "../canonical/response-reader.ts";
import { ResponseError } from "../errors/response-error.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { duplicateAccountsMax, foreignAccountsMax, pendingBytesMax } from "../limits/limits.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import { IncomingPartition } from "./incoming-partition.ts";

export interface MatchedPartition {
  readonly partition: number;
  readonly accounts: number;
  readonly bytes: number;
  /** A file with the preimage, which is now the receiver's. */
  readonly path: string;
}

export interface ResponseTarget {
  readonly shard: Shard;
  readonly hashKey: string;
  /** Whether the asked node should hold the accounts of a partition at all. */
  readonly stores: (partition: number) => boolean;
  /** What was asked for. */
  readonly requested: ReadonlySet<number>;
  /** The agreed hash of a partition that this answer may give, and nobody else from then on; `undefined`
   *  where it is not welcome in this answer. */
  readonly claim: (partition: number) => string | undefined;
  /** Where the partition is written while it comes. */
  readonly pathOf: (partition: number) => string;
  /** Takes a partition over that has the agreed hash. */
  readonly take: (partition: MatchedPartition) => Promise<void>;
  /** Asked as the answer grows: may it go on, with so many bytes of partitions that are not known to be right yet?
   *  The partition is the one that grows. */
  readonly mayHold: (bytes: number, partition: number) => Promise<boolean>;
}

export interface WrongPartition {
  readonly partition: number;
  readonly expected: string;
  readonly got: string;
  readonly accounts: number;
  /** An account that was there twice with different content. */
  readonly conflict: string | undefined;
}

export interface ResponseReport {
  /** Whether the answer came to its end. */
  readonly isComplete: boolean;
  /** What ended it, where it did not. */
  readonly error: unknown;
  readonly accounts: number;
  /** The partition of the last account. */
  readonly lastPartition: number | undefined;
  readonly foreignAccounts: number;
  readonly duplicateAccounts: number;
  /** Partitions that were had whole, and have another hash than the agreed one. */
  readonly wrong: readonly WrongPartition[];
  /** Partitions that had the agreed hash, and then went on with more accounts. */
  readonly superfluous: readonly number[];
  /** Partitions that were given up for being too large so far, those that made up most of what was held. */
  readonly outgrown: readonly { readonly partition: number; readonly bytes: number }[];
}

/** @throws SnapshotError `disk`; whatever the node does wrong is in the report */
export async function receiveResponse(
  chunks: AsyncIterable<Buffer>,
  target: ResponseTarget,
): Promise<ResponseReport> {
  const merger = new ResponseMerger(target);
  const reader = new ResponseReader(target.shard);
  let error: unknown;
  try {
    for await (const chunk of chunks) await merger.mergeAll(reader.read(chunk));
    await merger.mergeAll(reader.rest());
    reader.end();
  } catch (thrown) {
    error = await mergeRest(merger, reader, thrown);
  }
  reader.close();
  try {
    if (error instanceof SnapshotError) throw error;
    return await merger.finish(error);
  } catch (thrown) {
    await merger.discardAll();
    throw thrown;
  }
}

/** Of an answer that broke off, what was received before counts first. Answers what ended it. */
async function mergeRest(merger: ResponseMerger, reader: ResponseReader, thrown: unknown): Promise<unknown> {
  if (thrown instanceof ResponseError || thrown instanceof SnapshotError) return thrown;
  try {
    await merger.mergeAll(reader.rest());
    return thrown;
  } catch (earlier) {
    return earlier;
  }
}

class ResponseMerger {
  readonly #target: ResponseTarget;
  readonly #sinks = new Map<number, IncomingPartition>();
  /** Partitions that had an account. */
  readonly #begun = new Set<number>();
  /** Partitions that accounts went on from to another one: they may be complete. */
  readonly #left = new Set<number>();
  /** Partitions of which accounts were passed over. */
  readonly #skipped = new Set<number>();
  readonly #taken = new Set<number>();
  readonly #superfluous = new Set<number>();
  readonly #outgrown: { partition: number; bytes: number }[] = [];
  /** Where accounts were last put, the global partition aside. */
  #current: IncomingPartition | undefined;
  #pendingBytes = 0;
  /** Of all partitions that are open, on the disk or on their way there. */
  #heldBytes = 0;
  #accounts = 0;
  #superfluousAccounts = 0;
  #lastPartition: number | undefined;
  #foreign = 0;
  #duplicates = 0;

  constructor(target: ResponseTarget) {
    this.#target = target;
  }

  async mergeAll(runs: Iterable<CopyRun>): Promise<void> {
    for (const run of runs) {
      const pause = this.#merge(run);
      if (pause !== undefined) await pause;
    }
  }

  /** Merges one run; answers a promise where the next one must wait. */
  #merge(run: CopyRun): Promise<void> | undefined {
    const { partition, count } = run;
    this.#accounts += count;
    this.#lastPartition = partition;
    const sink = this.#sinks.get(partition) ?? this.#beginFor(partition, count);
    if (sink === undefined) return undefined;
    const before = sink.bytes;
    if (sink.add(run) === "duplicate") this.#countDuplicate();
    this.#pendingBytes += sink.bytes - before;
    this.#heldBytes += sink.bytes - before;
    const left = this.#leaveFor(sink);
    const mustPause = left !== undefined || sink.isFull || this.#pendingBytes > pendingBytesMax;
    return mustPause ? this.#pause(sink, left) : undefined;
  }

  /** Ends all partitions that are still open. */
  async finish(error: unknown): Promise<ResponseReport> {
    const isComplete = error === undefined;
    const wrong: WrongPartition[] = [];
    for (const sink of [...this.#sinks.values()]) {
      const mismatch = await this.#end(sink, isComplete);
      if (mismatch !== undefined) wrong.push(mismatch);
    }
    if (isComplete) wrong.push(...this.#withoutAccounts());
    return {
      isComplete,
      error,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#foreign,
      duplicateAccounts: this.#duplicates,
      wrong,
      superfluous: [...this.#superfluous],
      outgrown: this.#outgrown,
    };
  }

  async discardAll(): Promise<void> {
    await Promise.allSettled([...this.#sinks.values()].map((sink) => sink.discard()));
    this.#sinks.clear();
  }

  /** Begins a partition, or passes over each of its accounts. */
  #beginFor(partition: number, accounts: number): IncomingPartition | undefined {
    for (let passed = 0; passed < accounts; passed++) {
      const sink = this.#begin(partition);
      if (sink !== undefined) return sink;
    }
    return undefined;
  }

  #begin(partition: number): IncomingPartition | undefined {
    if (!this.#target.stores(partition)) {
      if (++this.#foreign > foreignAccountsMax) {
        const problem = `more than ${foreignAccountsMax} accounts of partitions that the node does not store`;
        throw new ResponseError("too-large", problem);
      }
      return undefined;
    }
    if (this.#taken.has(partition)) this.#countSuperfluous(partition);
    if (this.#skipped.has(partition)) return undefined;
    if (this.#target.claim(partition) === undefined) {
      // It may become welcome later; but of this answer, its beginning is lost.
      this.#skipped.add(partition);
      return undefined;
    }
    const sink = new IncomingPartition(partition, this.#target.pathOf(partition), this.#target.hashKey);
    this.#sinks.set(partition, sink);
    this.#begun.add(partition);
    return sink;
  }

  /** Notes where accounts go now; answers the partition that they left, the first time that they do. */
  #leaveFor(sink: IncomingPartition): IncomingPartition | undefined {
    if (sink.partition === GLOBAL_PARTITION || sink === this.#current) return undefined;
    const left = this.#current;
    this.#current = sink;
    if (left === undefined || this.#left.has(left.partition)) return undefined;
    this.#left.add(left.partition);
    return left;
  }

  /** Takes the partition that was left, if it is complete, and writes what has gathered. */
  async #pause(sink: IncomingPartition, left: IncomingPartition | undefined): Promise<void> {
    if (left !== undefined && (await this.#isMatched(left))) await this.#end(left, true);
    if (this.#pendingBytes > pendingBytesMax) {
      for (const open of this.#sinks.values()) await open.release();
      this.#pendingBytes = 0;
    } else if (left !== undefined) {
      this.#pendingBytes -= left.pendingBytes;
      await left.release();
    }
    if (sink.isFull) {
      this.#pendingBytes -= sink.pendingBytes;
      await sink.flush();
    }
    await this.#requireBudget(sink.partition);
  }

  async #requireBudget(partition: number): Promise<void> {
    const held = this.#heldBytes;
    if (await this.#target.mayHold(held, partition)) return;
    for (const { partition, bytes } of this.#sinks.values()) {
      if (bytes * this.#sinks.size >= held) this.#outgrown.push({ partition, bytes });
    }
    throw new ResponseError("over-budget", `the answer goes on after ${held} bytes that nothing confirms`);
  }

  async #isMatched(sink: IncomingPartition): Promise<boolean> {
    const expected = this.#target.claim(sink.partition);
    return expected !== undefined && (await sink.matches(expected));
  }

  /**
   * Ends a partition: it is taken where it has the agreed hash, otherwise removed. Of an answer that broke
   * off, a partition that does not match may only be incomplete, which is not wrong.
   */
  async #end(sink: IncomingPartition, isComplete: boolean): Promise<WrongPartition | undefined> {
    const { partition } = sink;
    this.#pendingBytes -= sink.pendingBytes;
    this.#heldBytes -= sink.bytes;
    const expected = this.#target.claim(partition);
    let wrong: WrongPartition | undefined;
    if (expected !== undefined && (isComplete || (await sink.matches(expected)))) {
      const { hash, accounts, bytes, path, duplicates, conflict } = await sink.finish();
      this.#duplicates += duplicates;
      if (hash === expected) {
        this.#taken.add(partition);
        await this.#target.take({ partition, accounts, bytes, path });
      } else wrong = { partition, expected, got: hash, accounts, conflict };
    }
    this.#sinks.delete(partition);
    // What was taken has another place by now.
    if (!this.#taken.has(partition)) await sink.discard();
    return wrong;
  }

  /** Partitions that should have been in the answer, and of which it had no account. */
  #withoutAccounts(): WrongPartition[] {
    const wrong: WrongPartition[] = [];
    for (const partition of this.#target.requested) {
      if (this.#begun.has(partition) || this.#skipped.has(partition)) continue;
      const expected = this.#target.claim(partition);
      if (expected === undefined) continue;
      const got = hashText(EMPTY_PREIMAGE, this.#target.hashKey);
      wrong.push({ partition, expected, got, accounts: 0, conflict: undefined });
    }
    return wrong;
  }

  #countSuperfluous(partition: number): void {
    this.#superfluous.add(partition);
    if (++this.#superfluousAccounts <= foreignAccountsMax) return;
    throw new ResponseError(
      "too-large",
      `more than ${foreignAccountsMax} accounts beyond what partitions hold`,
    );
  }

  #countDuplicate(): void {
    if (++this.#duplicates <= duplicateAccountsMax) return;
    throw new ResponseError("too-large", `more than ${duplicateAccountsMax} accounts were sent twice`);
  }
}
