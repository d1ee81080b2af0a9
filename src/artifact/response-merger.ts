/**
 * Adds the copies of one response to their partitions. A partition with the agreed hash is committed as soon as the
 * response continues with another partition.
 */

import type { CopyRun } from "../canonical/copy-run.ts";
import { ResponseError } from "../errors/response-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import type { Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import type { IncomingPartition } from "./incoming-partition.ts";
import { OpenPartitions } from "./open-partitions.ts";
import type { ResponseEnd, ResponseReceiver, ResponseReport } from "./response-report.ts";
import { UnwantedAccounts } from "./unwanted-accounts.ts";

/** Where and under which rules a response is received. */
export interface ResponsePlace {
  readonly shard: Shard;
  readonly hashKey: string;
  /** Where a partition of the response is written while it is received. */
  readonly pathOf: (partition: Partition) => string;
}

/**
 * A partition of which the response had an account. `skipped`: its accounts are dropped. `open`: accounts are added.
 * `left`: the response continued with another partition, so this one may be complete. `taken`: it was committed.
 */
type PartitionState = "skipped" | "open" | "left" | "taken";

export class ResponseMerger {
  readonly #receiver: ResponseReceiver;
  readonly #place: ResponsePlace;
  readonly #open = new OpenPartitions();
  readonly #states = new Map<Partition, PartitionState>();
  readonly #unwanted = new UnwantedAccounts();
  #outgrown: ResponseReport["outgrown"] = [];
  /** The partition of the last account, global accounts excepted. */
  #current: IncomingPartition | undefined;
  #accounts = 0;
  #lastPartition: Partition | undefined;

  constructor(receiver: ResponseReceiver, place: ResponsePlace) {
    this.#receiver = receiver;
    this.#place = place;
  }

  /**
   * Merges runs of copies into their partitions.
   *
   * @throws ResponseError; SnapshotError `disk`
   */
  async mergeAll(runs: Iterable<CopyRun>): Promise<void> {
    for (const run of runs) {
      const pause = this.#merge(run);
      if (pause !== undefined) await pause;
    }
  }

  /** Merges one run; returns a promise if the next one must wait. */
  #merge(run: CopyRun): Promise<void> | undefined {
    const { partition, count } = run;
    this.#accounts += count;
    this.#lastPartition = partition;
    const open = this.#open.get(partition) ?? this.#beginFor(partition, count);
    if (open === undefined) return undefined;
    if (this.#open.add(open, run) === "duplicate") this.#unwanted.countDuplicate();
    const left = this.#leaveFor(open);
    return left !== undefined || this.#open.mustWrite(open) ? this.#pause(open, left) : undefined;
  }

  /** Ends all partitions that are still open. */
  async finish(end: ResponseEnd): Promise<ResponseReport> {
    const isComplete = end.kind === "complete";
    const mismatched: MismatchedPartition[] = [];
    for (const open of this.#open.all()) {
      const mismatch = await this.#end(open, isComplete);
      if (mismatch !== undefined) mismatched.push(mismatch);
    }
    if (isComplete) mismatched.push(...this.#withoutAccounts());
    return {
      end,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#unwanted.foreign,
      duplicateAccounts: this.#unwanted.duplicates,
      mismatched,
      superfluous: this.#unwanted.superfluous,
      outgrown: this.#outgrown,
    };
  }

  discardAll(): Promise<void> {
    return this.#open.discardAll();
  }

  /** Begins a partition, or drops the accounts. */
  #beginFor(partition: Partition, accounts: number): IncomingPartition | undefined {
    for (let dropped = 0; dropped < accounts; dropped++) {
      const open = this.#begin(partition);
      if (open !== undefined) return open;
    }
    return undefined;
  }

  #begin(partition: Partition): IncomingPartition | undefined {
    const state = this.#states.get(partition);
    if (!this.#receiver.stores(partition)) this.#unwanted.countForeign();
    else if (state === "taken") this.#unwanted.countSuperfluous(partition);
    else if (state !== "skipped") {
      if (this.#receiver.expected(partition) !== undefined) return this.#openFor(partition);
      // The partition may become expected later, but this response's beginning of it is lost.
      this.#states.set(partition, "skipped");
    }
    return undefined;
  }

  #openFor(partition: Partition): IncomingPartition {
    this.#receiver.begin(partition);
    this.#states.set(partition, "open");
    return this.#open.open(partition, this.#place.pathOf(partition), this.#place.hashKey);
  }

  /** Notes the current partition; returns the previous one when the response leaves it for the first time. */
  #leaveFor(open: IncomingPartition): IncomingPartition | undefined {
    if (open.partition === GLOBAL_PARTITION || open === this.#current) return undefined;
    const left = this.#current;
    this.#current = open;
    if (left === undefined || this.#states.get(left.partition) !== "open") return undefined;
    this.#states.set(left.partition, "left");
    return left;
  }

  /** Commits the partition that was left, if it is complete, and writes what is pending. */
  async #pause(open: IncomingPartition, left: IncomingPartition | undefined): Promise<void> {
    const isEnded = left !== undefined && (await this.#isMatched(left));
    if (isEnded) await this.#end(left, true);
    await this.#open.write(open, isEnded ? undefined : left);
    await this.#requireBudget(open.partition);
  }

  async #requireBudget(partition: Partition): Promise<void> {
    const held = this.#open.heldBytes;
    if (await this.#receiver.mayHold(held, partition)) return;
    this.#outgrown = this.#open.largest();
    throw new ResponseError(
      "over-budget",
      `the response continues after ${held} bytes that no hash confirms`,
    );
  }

  async #isMatched(open: IncomingPartition): Promise<boolean> {
    const expected = this.#receiver.expected(open.partition);
    return expected !== undefined && (await open.matches(expected));
  }

  /**
   * Ends a partition: commits it where it has the agreed hash, and removes it otherwise. In a response that
   * broke off, a partition without the agreed hash may be incomplete: it is not reported as mismatched.
   */
  async #end(open: IncomingPartition, isComplete: boolean): Promise<MismatchedPartition | undefined> {
    const { partition } = open;
    this.#open.stopCounting(open);
    const expected = this.#receiver.expected(partition);
    let mismatch: MismatchedPartition | undefined;
    let isTaken = false;
    if (expected !== undefined && (isComplete || (await open.matches(expected)))) {
      const { hash, accounts, bytes, path, duplicates, conflict } = await open.finish();
      this.#unwanted.addSorted(duplicates);
      isTaken = hash === expected;
      if (isTaken) {
        this.#states.set(partition, "taken");
        await this.#receiver.commit({ partition, accounts, bytes, path });
      } else mismatch = { partition, expected, got: hash, accounts, conflict };
    }
    this.#open.remove(open);
    // The receiver owns the file of a partition that it took.
    if (!isTaken) await open.discard();
    return mismatch;
  }

  /** Requested partitions of which a complete response had no account. */
  #withoutAccounts(): MismatchedPartition[] {
    const got = hashText(EMPTY_PREIMAGE, this.#place.hashKey);
    return [...this.#receiver.requested].flatMap((partition) => {
      const expected = this.#states.has(partition) ? undefined : this.#receiver.expected(partition);
      return expected === undefined ? [] : { partition, expected, got, accounts: 0, conflict: undefined };
    });
  }
}
