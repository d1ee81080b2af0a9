/** A validator's database, for its one writing process. */

import { isGlobalAccount, type WrappedData } from "../../../protocol/account-copy.ts";
import type { Cycle, HashHex, Partition } from "../../../protocol/brands.ts";
import { canonicalTextOf } from "../../../protocol/crypto/canonical-text.ts";
import { GLOBAL_PARTITION, partitionOf, type Shard } from "../../../protocol/shard.ts";
import { SqliteFile } from "../../../store/hash-database/sqlite-file.ts";
import { stateFormat } from "./state-schema.ts";
import { accountsOf, applied, type Transaction } from "./transaction.ts";

/** A validator's position in the transaction log. */
export interface Progress {
  /** The newest cycle that is finalized; −1 before the first. */
  readonly cycle: number;
  /** Whether the state is exactly that of the end of the cycle. */
  readonly isBoundary: boolean;
  /** Whether the validator exports the end of the cycle. */
  readonly isMarked: boolean;
  /** In the transaction log, in bytes. */
  readonly position: number;
  /** The start of cycle 0, and the duration of cycles; 0 before the log has started. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** The content of one atomic commit. */
export interface Commit {
  readonly transactions: readonly Transaction[];
  readonly progress: Progress;
}

const beginning: Progress = {
  cycle: -1,
  isBoundary: false,
  isMarked: false,
  position: 0,
  startMs: 0,
  durationMs: 0,
};

export class StateDatabase {
  readonly #file: SqliteFile;
  readonly #shard: Shard;
  readonly #stored: ReadonlySet<Partition>;

  private constructor(file: SqliteFile, shard: Shard, stored: ReadonlySet<Partition>) {
    this.#file = file;
    this.#shard = shard;
    this.#stored = stored;
  }

  /**
   * @param stored partitions from 0 to N − 1
   * @param genesis the content of a new database; accounts of other partitions are skipped
   * @throws SnapshotError where the file cannot be opened, or is not a database of a validator
   */
  static open(
    path: string,
    shard: Shard,
    stored: readonly Partition[],
    genesis: () => Iterable<WrappedData>,
  ): StateDatabase {
    // Commits that a crash loses are repeated from the transaction log.
    const file = SqliteFile.open(path, stateFormat, { isRepeatable: true });
    const database = new StateDatabase(file, shard, new Set(stored));
    if (database.#progress() === undefined) database.#begin(genesis());
    return database;
  }

  get path(): string {
    return this.#file.path;
  }

  get progress(): Progress {
    return this.#progress() ?? beginning;
  }

  /**
   * Commits atomically.
   *
   * @param onApplied called after all changes and before the commit
   */
  commit({ transactions, progress }: Commit, onApplied?: () => void): void {
    this.#file.write(() => {
      for (const transaction of transactions) {
        for (const accountId of accountsOf(transaction)) this.#apply(transaction, accountId);
      }
      this.#setProgress(progress);
      onApplied?.();
    });
  }

  /** Saves the agreed hashes of a cycle. */
  saveHashes(cycle: Cycle, partitionHashes: ReadonlyMap<Partition, HashHex>, networkHash: HashHex): void {
    this.#file.write(() => {
      for (const [partition, hash] of partitionHashes) {
        this.#file.run("INSERT OR REPLACE INTO partitions VALUES (?, ?, ?)", partition, cycle, hash);
      }
      this.#file.run("INSERT OR REPLACE INTO network VALUES (?, ?)", cycle, networkHash);
    });
  }

  saveVotes(cycle: Cycle, messages: readonly string[]): void {
    this.#file.write(() => {
      for (const [place, message] of messages.entries()) {
        this.#file.run("INSERT INTO votes VALUES (?, ?, ?)", cycle, place, message);
      }
    });
  }

  /** Returns the own messages of a cycle, in the order in which they were saved. */
  votesOf(cycle: Cycle): string[] {
    const sql = "SELECT message FROM votes WHERE cycleNumber = ? ORDER BY place";
    return this.#file.all((row) => row.string("message"), sql, cycle);
  }

  /** Deletes the hashes and messages of earlier cycles. */
  forgetBefore(cycle: number): void {
    this.#file.write(() => {
      for (const table of ["partitions", "network", "votes"]) {
        this.#file.run(`DELETE FROM ${table} WHERE cycleNumber < ?`, cycle);
      }
    });
  }

  close(): void {
    this.#file.close();
  }

  #begin(genesis: Iterable<WrappedData>): void {
    this.#file.write(() => {
      for (const account of genesis) {
        const partition = isGlobalAccount(account)
          ? GLOBAL_PARTITION
          : partitionOf(this.#shard, account.accountId);
        if (partition === GLOBAL_PARTITION || this.#stored.has(partition)) this.#put(partition, account);
      }
      this.#setProgress(beginning);
    });
  }

  #apply(transaction: Transaction, accountId: string): void {
    const isGlobal = transaction.type === "set-fee";
    const partition = isGlobal ? GLOBAL_PARTITION : partitionOf(this.#shard, accountId);
    if (!isGlobal && !this.#stored.has(partition)) return;
    this.#put(partition, applied(transaction, accountId, this.#account(partition, accountId)));
  }

  #account(partition: Partition, accountId: string): WrappedData | undefined {
    const account = this.#file.get(
      (row) => ({
        accountId,
        stateId: row.string("stateId"),
        timestamp: row.count("timestamp"),
        data: parseData(row.string("data")),
      }),
      "SELECT stateId, timestamp, data FROM accounts WHERE partitionId = ? AND accountId = ?",
      partition,
      accountId,
    );
    if (account === undefined) return undefined;
    return partition === GLOBAL_PARTITION ? { ...account, syncData: { isGlobal: true } } : account;
  }

  #put(partition: Partition, { accountId, stateId, timestamp, data }: WrappedData): void {
    this.#file.run(
      "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)",
      partition,
      accountId,
      stateId,
      timestamp,
      canonicalTextOf(data),
    );
  }

  #progress(): Progress | undefined {
    return this.#file.get(
      (row) => ({
        cycle: row.count("cycle"),
        isBoundary: row.count("isBoundary") === 1,
        isMarked: row.count("isMarked") === 1,
        position: row.count("position"),
        startMs: row.count("startMs"),
        durationMs: row.count("durationMs"),
      }),
      "SELECT cycleNumber AS cycle, isBoundary, isMarked, position, startMs, durationMs FROM progress",
    );
  }

  #setProgress({ cycle, isBoundary, isMarked, position, startMs, durationMs }: Progress): void {
    const flags = [isBoundary, isMarked].map(Number);
    const values = [cycle, ...flags, position, startMs, durationMs];
    this.#file.run("INSERT OR REPLACE INTO progress VALUES (0, ?, ?, ?, ?, ?, ?)", ...values);
  }
}

function parseData(text: string): unknown {
  return JSON.parse(text);
}
