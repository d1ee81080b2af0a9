/**
 * Commits the transaction log in order. A commit waits for an export that is starting, so that the export holds the state
 * before the commit. The last commit of a cycle also waits while too many earlier cycles are being hashed.
 */

import { asCycle } from "../../../protocol/brands.ts";
import { agreementCyclesMax } from "../../limits.ts";
import { type FaultHooks, reachStep } from "../fault-hooks.ts";
import type { Membership } from "../membership/membership.ts";
import type { CycleFinalizer, CycleReport, FinalizedCycle } from "../snapshot/cycle-finalizer.ts";
import type { SnapshotExporter } from "../snapshot/snapshot-exporter.ts";
import type { CycleEnd, MembershipChange } from "./log-entry.ts";
import type { LoggedEntry } from "./log-feed.ts";
import type { Progress } from "./progress.ts";
import type { StateDatabase } from "./state-database.ts";
import type { Transaction } from "./transaction.ts";

/** The number of commits, and their longest durations in milliseconds. */
export interface CommitTimes {
  count: number;
  /** The time from the readiness of a commit to its beginning. */
  waitMaxMs: number;
  /** The same, of commits during an export. */
  waitWhileExportingMaxMs: number;
  /** The duration of the commit itself. */
  commitMaxMs: number;
  commitWhileExportingMaxMs: number;
}

export interface CommitterOptions {
  readonly database: StateDatabase;
  /** As of the position of the database. */
  readonly membership: Membership;
  readonly finalizer: Pick<CycleFinalizer, "cycleTxsFinalized" | "waitUntilReady">;
  readonly exporter: SnapshotExporter;
  readonly hooks: FaultHooks;
  readonly report: (report: CycleReport) => void;
  /** Whether the validator holds a snapshot of a moment. */
  readonly isHeld: (timestampMs: number) => boolean;
}

/** What the log changes since the last commit. */
interface Changes {
  readonly transactions: Transaction[];
  readonly members: MembershipChange[];
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
  #isSynced = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#progress = options.database.progress;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Repeats the work at the end of a cycle after a restart at that point, since it may be incomplete. */
  resume(): void {
    const { isBoundary, isMarked, cycle, startMs, durationMs } = this.#progress;
    if (isBoundary)
      this.#finalized({ cycle: asCycle(cycle), timestamp: startMs + (cycle + 1) * durationMs, isMarked });
  }

  async apply(entries: readonly LoggedEntry[]): Promise<void> {
    let changes: Changes = { transactions: [], members: [] };
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
          await this.#endCycle(changes, entry, position);
          changes = { transactions: [], members: [] };
          break;
        case "node-joined":
        case "node-activated":
        case "node-removed":
          changes.members.push(entry);
          break;
        case "transfer":
        case "set-fee":
          changes.transactions.push(entry);
          break;
        case "resumed":
          break;
      }
    }
    const position = entries.at(-1)?.position ?? this.#progress.position;
    if (position > this.#progress.position) {
      const isBoundary = this.#progress.isBoundary && changes.transactions.length === 0;
      await this.#commit(changes, { ...this.#progress, position, isBoundary });
    }
  }

  async #endCycle(
    changes: Changes,
    { cycle, timestamp, snapshot }: CycleEnd,
    position: number,
  ): Promise<void> {
    await this.#options.finalizer.waitUntilReady();
    const end = { cycle, isBoundary: true, isMarked: snapshot, position };
    await this.#commit(changes, { ...this.#progress, ...end });
    this.#finalized({ cycle, timestamp, isMarked: snapshot });
  }

  /** Skips a cycle on which the other validators have already settled. */
  #finalized(cycle: FinalizedCycle): void {
    const { finalizer, membership, isHeld, report } = this.#options;
    if (cycle.timestamp + agreementCyclesMax * this.#progress.durationMs < Date.now()) {
      if (!membership.isActive(cycle.cycle)) return;
      report({ type: "cycle-missed", cycle: cycle.cycle, isMarked: cycle.isMarked });
      return;
    }
    this.#reportSynced(cycle);
    finalizer.cycleTxsFinalized({ ...cycle, isMarked: cycle.isMarked && !isHeld(cycle.timestamp) });
  }

  /** Reports once that a node which has joined can become active: it has the state of the newest cycle that is over. */
  #reportSynced({ cycle, timestamp }: FinalizedCycle): void {
    const { own } = this.#options.membership;
    if (own === undefined || own.activated !== undefined || own.removed !== undefined) return;
    if (this.#isSynced || timestamp + this.#progress.durationMs < Date.now()) return;
    this.#isSynced = true;
    this.#options.report({ type: "synced", cycle });
  }

  async #commit({ transactions, members }: Changes, progress: Progress): Promise<void> {
    const { database, membership, exporter, hooks } = this.#options;
    const isExporting = exporter.active !== undefined;
    const readyAt = performance.now();
    await exporter.waitUntilStarted();
    const begun = performance.now();
    // A killed validator reads its nodes from the database again.
    const nodes = members.map((change) => membership.apply(change));
    database.commit({ transactions, nodes, progress }, () => reachStep(hooks, "commit"));
    this.#progress = progress;
    this.#note(begun - readyAt, performance.now() - begun, isExporting);
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
