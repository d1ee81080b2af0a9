/**
 * Adds the copies of one response to their partitions. A partition with the agreed hash is committed as soon as the
 * response continues with another partition.
 */

import { rm } from "node:fs/promises";
import type { CopyRun } from "../canonical/copy-run.ts";
import { ResponseError } from "../errors/response-error.ts";
import { beginningBytesMin } from "../limits/seed.ts";
import type { Partition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import type { IncomingPartition } from "./incoming-partition.ts";
import { OpenPartitions } from "./open-partitions.ts";
import { type EndingPlace, type Extent, PartitionEndings } from "./partition-endings.ts";
import type { Beginning, ResponseEnd, ResponseReceiver, ResponseReport } from "./response-report.ts";
import { UnwantedAccounts } from "./unwanted-accounts.ts";

/** Where and under which rules a response is received. */
export interface ResponsePlace extends EndingPlace {
  readonly shard: Shard;
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
  readonly #endings: PartitionEndings;
  readonly #states = new Map<Partition, PartitionState>();
  readonly #unwanted = new UnwantedAccounts();
  /** Left by a response that broke off: the receiver owns them once they are reported. */
  readonly #beginnings: Beginning[] = [];
  #outgrown: ResponseReport["outgrown"] = [];
  /** The partition of the last account, global accounts excepted. */
  #current: IncomingPartition | undefined;
  #accounts = 0;
  #lastPartition: Partition | undefined;

  constructor(receiver: ResponseReceiver, place: ResponsePlace) {
    this.#receiver = receiver;
    this.#place = place;
    this.#endings = new PartitionEndings(receiver, place);
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
    if (end.kind === "failed" && isCutOff(end.error)) await this.#leaveBeginnings();
    for (const open of this.#open.all()) await this.#end(open, this.#extentOf(open, end));
    if (end.kind === "complete")
      for (const partition of this.#receiver.requested)
        if (!this.#states.has(partition)) this.#endings.endWithoutAccounts(partition);
    await this.#endings.settled();
    return {
      end,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#unwanted.foreign,
      duplicateAccounts: this.#unwanted.duplicates,
      mismatched: this.#endings.mismatched,
      superfluous: this.#unwanted.superfluous,
      outgrown: this.#outgrown,
      beginnings: this.#beginnings,
      unfitBases: this.#endings.unfitBases,
    };
  }

  /** Removes all files of a response without a report. */
  async discardAll(): Promise<void> {
    await this.#endings.settled().catch(() => undefined); // an earlier error is thrown
    await this.#open.discardAll();
    await Promise.allSettled(this.#beginnings.map(({ path }) => rm(path, { force: true })));
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
    if (isEnded) await this.#end(left, "whole");
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

  async #end(open: IncomingPartition, extent: Extent): Promise<void> {
    this.#open.stopCounting(open);
    const { isTaken, duplicates } = await this.#endings.end(open, extent);
    this.#unwanted.addSorted(duplicates);
    if (isTaken) this.#states.set(open.partition, "taken");
    this.#open.remove(open);
  }

  #extentOf({ partition }: IncomingPartition, end: ResponseEnd): Extent {
    if (end.kind === "complete") return "whole";
    return this.#states.get(partition) === "left" ? "left" : "cut-off";
  }

  /** Keeps what a response that broke off has of the partitions that it was giving, if it was in order. */
  async #leaveBeginnings(): Promise<void> {
    if (this.#receiver.isDelta) return;
    for (const open of this.#open.all()) {
      const { partition, range, bytes, path } = open;
      const isCut = partition === GLOBAL_PARTITION || open === this.#current;
      if (!isCut || this.#states.get(partition) !== "open" || range === undefined) continue;
      if (bytes < beginningBytesMin || (await this.#isMatched(open))) continue;
      if (this.#receiver.expected(partition) === undefined) continue;
      await open.release();
      this.#open.stopCounting(open);
      this.#open.remove(open);
      this.#beginnings.push({ partition, ...range, bytes, path });
    }
  }
}

/** Whether a response ended between two accounts or within one, and is right so far for all that is known. */
function isCutOff(error: Extract<ResponseEnd, { kind: "failed" }>["error"]): boolean {
  return ["reset", "stalled", "aborted", "truncated"].includes(error.kind);
}
