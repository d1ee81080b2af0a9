/**
 * Receives one response: bytes → records → canonical copies → the partition that each belongs to. A partition
 * whose hash is the agreed one is committed at once, and stays whatever happens to the rest of the response. Who sent
 * it is not known here.
 */

import type { CopyRun } from "../canonical/copy-run.ts";
import { ResponseReader } from "../canonical/response-reader.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import { pendingBytesMax } from "../limits/disk.ts";
import { duplicateAccountsMax, foreignAccountsMax } from "../limits/response.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import { IncomingPartition } from "./incoming-partition.ts";
import type { ResponseEnd, ResponseReceiver, ResponseReport } from "./response-report.ts";

/** Where and under which rules a response is received. */
export interface ResponsePlace {
  readonly shard: Shard;
  readonly hashKey: string;
  /** Where a partition of the response is written while it comes. */
  readonly pathOf: (partition: number) => string;
}

/** @throws SnapshotError `disk`; whatever the node does wrong is in the report */
export async function receiveResponse(
  chunks: AsyncIterable<Buffer>,
  receiver: ResponseReceiver,
  place: ResponsePlace,
): Promise<ResponseReport> {
  const merger = new ResponseMerger(receiver, place);
  try {
    return await merger.finish(await mergeResponse(chunks, merger, place.shard));
  } catch (thrown) {
    await merger.discardAll();
    throw thrown;
  }
}

async function mergeResponse(
  chunks: AsyncIterable<Buffer>,
  merger: ResponseMerger,
  shard: Shard,
): Promise<ResponseEnd> {
  const reader = new ResponseReader(shard);
  try {
    for await (const chunk of chunks) await merger.mergeAll(reader.read(chunk));
    await merger.mergeAll(reader.rest());
    reader.end();
    return { kind: "complete" };
  } catch (thrown) {
    return { kind: "failed", error: peersError(await mergeRest(merger, reader, thrown)) };
  } finally {
    reader.close();
  }
}

/** @throws whatever is not the peer's failure: it is ours, or a bug */
function peersError(error: unknown): FetchError | ResponseError {
  if (error instanceof FetchError || error instanceof ResponseError) return error;
  throw error;
}

/** Of a response that broke off, what was received before counts first. Returns what ended it. */
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
  readonly #receiver: ResponseReceiver;
  readonly #place: ResponsePlace;
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

  constructor(receiver: ResponseReceiver, place: ResponsePlace) {
    this.#receiver = receiver;
    this.#place = place;
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
  async finish(end: ResponseEnd): Promise<ResponseReport> {
    const isComplete = end.kind === "complete";
    const mismatched: MismatchedPartition[] = [];
    for (const sink of [...this.#sinks.values()]) {
      const mismatch = await this.#end(sink, isComplete);
      if (mismatch !== undefined) mismatched.push(mismatch);
    }
    if (isComplete) mismatched.push(...this.#withoutAccounts());
    return {
      end,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#foreign,
      duplicateAccounts: this.#duplicates,
      mismatched,
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
    if (!this.#receiver.stores(partition)) {
      if (++this.#foreign > foreignAccountsMax) {
        const problem = `more than ${foreignAccountsMax} accounts of partitions that the node does not store`;
        throw new ResponseError("too-large", problem);
      }
      return undefined;
    }
    if (this.#taken.has(partition)) this.#countSuperfluous(partition);
    if (this.#skipped.has(partition)) return undefined;
    if (this.#receiver.expected(partition) === undefined) {
      // It may become welcome later; but of this answer, its beginning is lost.
      this.#skipped.add(partition);
      return undefined;
    }
    this.#receiver.begin(partition);
    const sink = new IncomingPartition(partition, this.#place.pathOf(partition), this.#place.hashKey);
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
    if (await this.#receiver.mayHold(held, partition)) return;
    for (const { partition, bytes } of this.#sinks.values()) {
      if (bytes * this.#sinks.size >= held) this.#outgrown.push({ partition, bytes });
    }
    throw new ResponseError("over-budget", `the answer goes on after ${held} bytes that nothing confirms`);
  }

  async #isMatched(sink: IncomingPartition): Promise<boolean> {
    const expected = this.#receiver.expected(sink.partition);
    return expected !== undefined && (await sink.matches(expected));
  }

  /**
   * Ends a partition: it is taken where it has the agreed hash, otherwise removed. Of an answer that broke
   * off, a partition that does not match may only be incomplete, which is not wrong.
   */
  async #end(sink: IncomingPartition, isComplete: boolean): Promise<MismatchedPartition | undefined> {
    const { partition } = sink;
    this.#pendingBytes -= sink.pendingBytes;
    this.#heldBytes -= sink.bytes;
    const expected = this.#receiver.expected(partition);
    let wrong: MismatchedPartition | undefined;
    if (expected !== undefined && (isComplete || (await sink.matches(expected)))) {
      const { hash, accounts, bytes, path, duplicates, conflict } = await sink.finish();
      this.#duplicates += duplicates;
      if (hash === expected) {
        this.#taken.add(partition);
        await this.#receiver.commit({ partition, accounts, bytes, path });
      } else wrong = { partition, expected, got: hash, accounts, conflict };
    }
    this.#sinks.delete(partition);
    // What was taken has another place by now.
    if (!this.#taken.has(partition)) await sink.discard();
    return wrong;
  }

  /** Partitions that should have been in the answer, and of which it had no account. */
  #withoutAccounts(): MismatchedPartition[] {
    const wrong: MismatchedPartition[] = [];
    for (const partition of this.#receiver.requested) {
      if (this.#begun.has(partition) || this.#skipped.has(partition)) continue;
      const expected = this.#receiver.expected(partition);
      if (expected === undefined) continue;
      const got = hashText(EMPTY_PREIMAGE, this.#place.hashKey);
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
