/**
 * Commits what the transaction log says, in its order. A commit waits for two things: for an export that is
 * about to start, so that it holds the state before; and, at the end of a cycle, for the hashing of earlier
 * ones, if it falls behind.
 */

import { agreementCyclesMax } from "../../limits.ts";
import { type FaultHooks, reach } from "../fault-hooks.ts";
import type { CycleReport, FinalizedCycle, Snapshots } from "../snapshot/index.ts";
import type { SnapshotExporter } from "../snapshot/snapshot-exporter.ts";
import type { CycleEnd } from "./log-entry.ts";
import type { LoggedEntry } from "./log-feed.ts";
import type { Progress, StateDatabase } from "./state-database.ts";
import type { Transaction } from "./transaction.ts";

/** How long commits took; in milliseconds, the longest of each kind. */
export interface CommitTimes {
  count: number;
  /** From when a commit could be made until it began. */
  waitMaxMs: number;
  /** The same, of commits that found an export active. */
  waitWhileExportingMaxMs: number;
  /** The commit itself. */
  commitMaxMs: number;
  commitWhileExportingMaxMs: number;
}

export interface CommitterOptions {
  readonly database: StateDatabase;
  readonly snapshots: Pick<Snapshots, "cycleTxsFinalized" | "waitUntilReady">;
  readonly exporter: SnapshotExporter;
  readonly conduct: FaultHooks;
  readonly report: (report: CycleReport) => void;
  /** Whether there is a snapshot of that moment already. */
  readonly isHeld: (timestampMs: number) => boolean;
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly times: CommitTimes = {
    count: 0,
    waitMaxMs: 0,
    waitWhileExportingMaxMs: 0,
    commitMaxMs: 0,
    commitWhileExportingMaxMs: 0,
  };
  #progress: Progress;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#progress = options.database.progress;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** After a restart right behind the end of a cycle: what is to be done then may not have been. */
  resume(): void {
    const { isBoundary, isMarked, cycle, startMs, durationMs } = this.#progress;
    if (isBoundary) this.#finalized({ cycle, timestamp: startMs + (cycle + 1) * durationMs, isMarked });
  }

  async apply(entries: readonly LoggedEntry[]): Promise<void> {
    let transactions: Transaction[] = [];
    for (const { entry, position } of entries) {
      switch (entry.type) {
        case "start":
          this.#progress = {
            ...this.#progress,
            startMs: entry.start * 1000,
            durationMs: entry.duration * 1000,
          };
          break;
        case "cycle-end":
          await this.#endCycle(transactions, entry, position);
          transactions = [];
          break;
        default:
          transactions.push(entry);
      }
    }
    const position = entries.at(-1)?.position ?? this.#progress.position;
    if (position > this.#progress.position) {
      const isBoundary = this.#progress.isBoundary && transactions.length === 0;
      await this.#commit(transactions, { ...this.#progress, position, isBoundary });
    }
  }

  async #endCycle(
    transactions: readonly Transaction[],
    { cycle, timestamp, snapshot }: CycleEnd,
    position: number,
  ): Promise<void> {
    await this.#options.snapshots.waitUntilReady();
    const end = { cycle, isBoundary: true, isMarked: snapshot, position };
    await this.#commit(transactions, { ...this.#progress, ...end });
    this.#finalized({ cycle, timestamp, isMarked: snapshot });
  }

  /** What is long over, whoever was away has missed: nobody waits for his word of it. */
  #finalized(cycle: FinalizedCycle): void {
    const { snapshots, isHeld, report } = this.#options;
    if (cycle.timestamp + agreementCyclesMax * this.#progress.durationMs < Date.now()) {
      report({ type: "cycle-missed", cycle: cycle.cycle, isMarked: cycle.isMarked });
      return;
    }
    snapshots.cycleTxsFinalized({ ...cycle, isMarked: cycle.isMarked && !isHeld(cycle.timestamp) });
  }

  async #commit(transactions: readonly Transaction[], progress: Progress): Promise<void> {
    const { database, exporter, conduct } = this.#options;
    const isExporting = exporter.active !== undefined;
    const asked = performance.now();
    await exporter.waitUntilStarted();
    const begun = performance.now();
    database.commit({ transactions, progress }, () => reach(conduct, "commit"));
    this.#progress = progress;
    this.#note(begun - asked, performance.now() - begun, isExporting);
  }

  #note(waitMs: number, commitMs: number, isExporting: boolean): void {
    const { times } = this;
    times.count++;
    times.waitMaxMs = Math.max(times.waitMaxMs, waitMs);
    times.commitMaxMs = Math.max(times.commitMaxMs, commitMs);
    if (!isExporting) return;
    times.waitWhileExportingMaxMs = Math.max(times.waitWhileExportingMaxMs, waitMs);
    times.commitWhileExportingMaxMs = Math.max(times.commitWhileExportingMaxMs, commitMs);
  }
}
