/**
 * Replays receipts into a database of accounts:
 *
 * ```
 * for each receipt after the snapshot's moment, in order of time:
 *   read it, check its signatures by the nodes of its cycle, and its accounts by the hashes that were voted on
 *   for each account: apply what follows what is stored; skip what is not later; note what does not follow
 * ```
 *
 * Nothing is executed: a receipt has the accounts after the transaction. Runs in a process of its own, as the writer does.
 * Its memory does not depend on the number of receipts or accounts.
 */

import { restoreCacheKiB } from "../../limits/restore.ts";
import { resumeProgressReceipts, waitingReceiptsMax } from "../../limits/resume.ts";
import { syncPath } from "../../store/durable.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import type { AccountHashRule } from "../account-hash.ts";
import { type AccountChange, ContradictionError, changesOf } from "./account-changes.ts";
import { type ListedMembers, MembersOfCycles } from "./cycle-members.ts";
import { type ReceiptKey, ReceiptsDatabase } from "./receipts-database.ts";
import { type ChainStart, RecordChain } from "./record-chain.ts";
import { ReplayCounts } from "./replay-counts.ts";
import type { NamedReceipt, ReplayReport } from "./replay-report.ts";
import { type JudgedChange, ResumedAccounts } from "./resumed-accounts.ts";
import { unprovedBecause } from "./verify-receipt.ts";

export interface ReplayOrder {
  readonly kind: "replay";
  /** The accounts of the snapshot, which are changed. */
  readonly path: string;
  readonly receipts: string;
  readonly cycles: string;
  readonly from: ReplayStart;
  /** The last cycle whose receipts are applied; null for all. */
  readonly toCycle: number | null;
  readonly rules: readonly AccountHashRule[];
  /** Milliseconds: no account is newer. */
  readonly nowMs: number;
}

/** The snapshot, as far as a replay needs it. */
export interface ReplayStart extends ChainStart {
  /** Receipts of transactions after this moment are read, in milliseconds. */
  readonly sinceMs: number;
  /** The nodes of the snapshot's cycle, and of cycles before it; the snapshot's last. */
  readonly members: readonly ListedMembers[];
  readonly nodesPerConsensusGroup: number;
}

export interface Replayed {
  readonly report: ReplayReport;
  /** Rows of the table behind this one are changed accounts. */
  readonly rowsBefore: number;
  /** How many nodes the last cycle has; null if they are not known. */
  readonly numNodes: number | null;
}

/**
 * Applies what can be applied, and reports the rest. The caller decides by the report whether the result is used.
 *
 * @throws SnapshotError `verification` for a malformed receipt, `chain` for records that form no chain, `configuration`,
 *   `disk`
 */
export async function replay(
  order: ReplayOrder,
  onProgress: (receipts: number, total: number) => void,
): Promise<Replayed> {
  const open = <T>(path: string, isReadOnly: boolean, make: () => T) =>
    withSqliteErrors({ path, isReadOnly }, make);
  const receipts = open(order.receipts, true, () => new ReceiptsDatabase(order.receipts));
  const chain = open(order.cycles, true, () => new RecordChain(order.cycles, order.from));
  const accounts = open(order.path, false, () => new ResumedAccounts(order.path, restoreCacheKiB));
  const { members, nodesPerConsensusGroup } = order.from;
  const cycles = new MembersOfCycles(chain, members, nodesPerConsensusGroup);
  const run = new Replay(order, receipts, cycles, accounts);
  open(order.receipts, true, () => run.replayAll(onProgress));
  const { rowsBefore } = accounts;
  open(order.path, false, () => accounts.close());
  receipts.close();
  await syncPath(order.path);
  const counts = run.counts.report();
  const ofLast = counts.last === null ? undefined : cycles.of(counts.last.cycle);
  const report = { ...counts, newestRecord: chain.newest };
  chain.close();
  const numNodes = typeof ofLast === "object" ? ofLast.shard.numNodes : null;
  return { report, rowsBefore, numNodes };
}

/** A receipt with what it means for the accounts. */
interface Judged {
  readonly named: NamedReceipt;
  readonly changes: readonly JudgedChange[];
}

class Replay {
  readonly #order: ReplayOrder;
  readonly #receipts: ReceiptsDatabase;
  readonly #cycles: MembersOfCycles;
  readonly #accounts: ResumedAccounts;
  readonly counts = new ReplayCounts();
  /** Receipts of the present millisecond that do not follow what is stored; others may come between. */
  #waiting: ReceiptKey[] = [];
  #waitingMs = Number.NEGATIVE_INFINITY;

  constructor(
    order: ReplayOrder,
    receipts: ReceiptsDatabase,
    cycles: MembersOfCycles,
    accounts: ResumedAccounts,
  ) {
    this.#order = order;
    this.#receipts = receipts;
    this.#cycles = cycles;
    this.#accounts = accounts;
  }

  replayAll(onProgress: (receipts: number, total: number) => void): void {
    const { from, toCycle } = this.#order;
    const total = this.#receipts.countAfter(from.sinceMs);
    let seen = 0;
    for (const key of this.#receipts.keysAfter(from.sinceMs)) {
      if (++seen % resumeProgressReceipts === 0) onProgress(seen, total);
      if (toCycle !== null && key.cycle > toCycle) {
        this.counts.later();
        continue;
      }
      if (key.timestamp !== this.#waitingMs) this.#settle();
      this.#waitingMs = key.timestamp;
      this.counts.read();
      this.#replayOne(key);
    }
    this.#settle();
  }

  /** Applies a receipt if it follows what is stored, or lets it wait for others of the same time. */
  #replayOne(key: ReceiptKey): void {
    const judged = this.#judge(key);
    if (judged === undefined) return;
    if (isReady(judged) || this.#waiting.length === waitingReceiptsMax) this.#apply(judged);
    else this.#waiting.push(key);
  }

  /**
   * Applies the receipts that waited, each after the one that it follows. Core executes the transactions of one time in
   * descending order of ID (2.15.8, `src/state-manager/TransactionQueue.ts`); the hashes show any order.
   */
  #settle(): void {
    while (this.#waiting.length > 0) {
      const left = this.#waiting.filter((key) => {
        const judged = this.#judge(key, true);
        if (judged === undefined) return false;
        if (!isReady(judged)) return true;
        this.#apply(judged);
        return false;
      });
      if (left.length === this.#waiting.length) break;
      this.#waiting = left;
    }
    for (const key of this.#waiting) {
      const judged = this.#judge(key, true);
      if (judged !== undefined) this.#apply(judged);
    }
    this.#waiting = [];
  }

  /** @param isChecked whether the receipt was judged before, and only what is stored may have changed */
  #judge(key: ReceiptKey, isChecked = false): Judged | undefined {
    const { id, receipt } = this.#receipts.read(key.row);
    const named = { receiptId: id, cycle: key.cycle, timestamp: key.timestamp };
    const { from, rules, nowMs } = this.#order;
    let changes: AccountChange[];
    try {
      changes = changesOf(id, receipt, { rules, nowMs, hashKey: from.hashKey });
    } catch (error) {
      if (!(error instanceof ContradictionError)) throw error;
      this.counts.contradicting({ ...named, reason: error.message });
      return undefined;
    }
    const judged = { named, changes: changes.map((change) => this.#accounts.judge(change)) };
    // A receipt that changes nothing needs no proof: what is stored is as late.
    if (!isChecked && judged.changes.some(isEffective)) {
      const members = this.#cycles.of(key.cycle);
      const reason = typeof members === "string" ? members : unprovedBecause(receipt, members, from.hashKey);
      // It is applied all the same, so that the next ones can be judged. The database is discarded unless that is wanted.
      if (reason !== undefined) this.counts.unverified({ ...named, reason });
    }
    return judged;
  }

  #apply({ named, changes }: Judged): void {
    let isApplied = false;
    for (const change of changes) {
      if (!this.counts.change(named, change)) continue;
      this.#accounts.write(change, named.cycle);
      isApplied = true;
    }
    this.counts.done(named, isApplied);
  }
}

function isEffective({ effect }: JudgedChange): boolean {
  return effect !== "older" && effect !== "same";
}

function isReady({ changes }: Judged): boolean {
  return changes.every(({ effect }) => effect !== "missing" && effect !== "conflict");
}
