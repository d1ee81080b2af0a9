/** A validator's database, for its one writing process. */

import { isGlobalAccount, type WrappedData } from "../../../protocol/account-copy.ts";
import {
  asCycle,
  asNodeId,
  asPublicKey,
  type Cycle,
  type HashHex,
  type Partition,
} from "../../../protocol/brands.ts";
import { canonicalTextOf } from "../../../protocol/crypto/canonical-text.ts";
import { SqliteFile } from "../../../store/hash-database/sqlite-file.ts";
import type { NodeSpan } from "../membership/membership.ts";
import { beginning, type Progress } from "./progress.ts";
import { stateFormat } from "./state-schema.ts";
import type { FirstState, StateSource } from "./state-source.ts";
import { accountsOf, applied, type Transaction } from "./transaction.ts";

/** The content of one atomic commit. */
export interface Commit {
  readonly transactions: readonly Transaction[];
  /** The nodes that changed; none where it is missing. */
  readonly nodes?: readonly NodeSpan[];
  readonly progress: Progress;
}

/** The accounts of one write while the first state is read. */
const firstAccountsAtOnce = 1_000;

export class StateDatabase {
  readonly #file: SqliteFile;

  private constructor(file: SqliteFile) {
    this.#file = file;
  }

  /**
   * @param source of the first state, where the database has none
   * @throws SnapshotError where the file cannot be opened, or is not a database of a validator
   */
  static async open(path: string, source: StateSource): Promise<StateDatabase> {
    // Commits that a crash loses are repeated from the transaction log.
    const file = SqliteFile.open(path, stateFormat, { isRepeatable: true });
    try {
      const database = new StateDatabase(file);
      if (database.#progress() === undefined) await database.#begin(await source());
      return database;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get path(): string {
    return this.#file.path;
  }

  get progress(): Progress {
    return this.#progress() ?? beginning;
  }

  /** The nodes as of {@link progress}. */
  get nodes(): NodeSpan[] {
    return this.#file.all(
      (row) => ({
        id: asNodeId(row.string("id")),
        publicKey: asPublicKey(row.string("publicKey")),
        url: row.string("url"),
        joined: asCycle(row.count("joined")),
        activated: row.cycle("activated"),
        removed: row.cycle("removed"),
      }),
      "SELECT id, publicKey, url, joined, activated, removed FROM nodes",
    );
  }

  /**
   * Commits atomically.
   *
   * @param onApplied called after all changes and before the commit
   */
  commit({ transactions, nodes = [], progress }: Commit, onApplied?: () => void): void {
    this.#file.write(() => {
      for (const transaction of transactions) {
        for (const accountId of accountsOf(transaction)) this.#apply(transaction, accountId);
      }
      for (const node of nodes) this.#putNode(node);
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

  /** The position is written last: a database without one is incomplete, and is filled anew. */
  async #begin({ accounts, nodes, progress }: FirstState): Promise<void> {
    this.#file.write(() => this.#file.run("DELETE FROM accounts"));
    let page: WrappedData[] = [];
    const writePage = () => {
      this.#file.write(() => {
        for (const account of page) this.#put(isGlobalAccount(account), account);
      });
      page = [];
    };
    for await (const account of accounts) {
      page.push(account);
      if (page.length === firstAccountsAtOnce) writePage();
    }
    writePage();
    this.commit({ transactions: [], nodes, progress });
  }

  #apply(transaction: Transaction, accountId: string): void {
    const isGlobal = transaction.type === "set-fee";
    this.#put(isGlobal, applied(transaction, accountId, this.#account(isGlobal, accountId)));
  }

  #account(isGlobal: boolean, accountId: string): WrappedData | undefined {
    const account = this.#file.get(
      (row) => ({
        accountId,
        stateId: row.string("stateId"),
        timestamp: row.count("timestamp"),
        data: parseData(row.string("data")),
      }),
      "SELECT stateId, timestamp, data FROM accounts WHERE isGlobal = ? AND accountId = ?",
      Number(isGlobal),
      accountId,
    );
    if (account === undefined) return undefined;
    return isGlobal ? { ...account, syncData: { isGlobal: true } } : account;
  }

  #put(isGlobal: boolean, { accountId, stateId, timestamp, data }: WrappedData): void {
    this.#file.run(
      "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)",
      Number(isGlobal),
      accountId,
      stateId,
      timestamp,
      canonicalTextOf(data),
    );
  }

  #putNode({ id, publicKey, url, joined, activated, removed }: NodeSpan): void {
    const changes = [activated ?? null, removed ?? null];
    this.#file.run(
      "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?)",
      id,
      publicKey,
      url,
      joined,
      ...changes,
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
