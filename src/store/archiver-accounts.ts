/**
 * The database in which an archiver keeps the newest version of each account (RESTORE.md, Target A). It is only read. No
 * file is created beside one that no archiver has open: an archiver whose files appear is taken for one that runs.
 */

import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { archiverRowBytes, seedCopyBytesMax } from "../limits/seed.ts";
import { accountCopyText } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS, isHex64 } from "../protocol/address.ts";
import { SqliteRow } from "./hash-database/sqlite-row.ts";
import { storedText } from "./hash-database/stored-text.ts";

/** The name of the file in the folder of an archiver's databases. */
export const ARCHIVER_ACCOUNTS_FILE = "accounts.sqlite3";

export interface AccountSelection {
  readonly isGlobal: boolean;
  /** Inclusive addresses. */
  readonly low: string;
  readonly high: string;
  /** Milliseconds: newer versions are left out. */
  readonly timestampMax: number;
}

/** The hash of an account is 64 digits; a text of another application may be longer. */
const HASH_BYTES_MAX = 1024;

export class ArchiverAccounts {
  readonly #path: string;
  readonly #database: Database.Database;

  /** @throws an error if the file is not a database of accounts, or cannot be read */
  constructor(path: string) {
    if (!lstatSync(path).isFile()) throw new Error("it is not a regular file");
    this.#path = path;
    this.#database = new Database(readOnlyName(path));
    try {
      this.#database.pragma("trusted_schema = OFF");
      this.#database.pragma("cell_size_check = ON");
      this.#requireTable();
      this.#database.prepare(selection("")).all(["", "", 0, 0]);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** A view, or a column that is computed, could have rows without an end. */
  #requireTable(): void {
    const select =
      "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'accounts' AND type = 'table' AND rootpage > 0";
    if (new SqliteRow(this.#database.prepare(select).get([])).integer("n") !== 1)
      throw new Error("it has no table of accounts");
    const computed = "SELECT count(*) AS n FROM pragma_table_xinfo('accounts') WHERE hidden <> 0";
    if (new SqliteRow(this.#database.prepare(computed).get([])).integer("n") !== 0)
      throw new Error("its table of accounts has computed columns");
  }

  /** Returns the time of the newest version that is not after a moment, in milliseconds; `undefined` if there is none. */
  newestUntil(timestamp: number): number | undefined {
    const newest = "SELECT max(timestamp) AS newest FROM accounts WHERE timestamp BETWEEN 0 AND ?";
    return new SqliteRow(this.#database.prepare(newest).get([timestamp])).integer("newest");
  }

  /** Returns whether it has versions that are newer than a moment, in milliseconds. */
  hasNewerThan(timestamp: number): boolean {
    const newer = "SELECT EXISTS (SELECT 1 FROM accounts WHERE timestamp > ?) AS newer";
    return new SqliteRow(this.#database.prepare(newer).get([timestamp])).integer("newer") === 1;
  }

  /**
   * Yields the copies of accounts in order of address.
   *
   * @throws an error about the row that is not an account
   */
  *copies({ isGlobal, low, high, timestampMax }: AccountSelection): Generator<string, void, void> {
    // Few accounts are global, and no index knows which: one pass over the table is faster than one in order of address.
    const rows = this.#database.prepare(selection(isGlobal ? "NOT INDEXED" : ""));
    for (const values of rows.iterate([low, high, Number(isGlobal), timestampMax])) {
      const row = new SqliteRow(values);
      const accountId = row.text("accountId");
      if (accountId === undefined || !isHex64(accountId)) throw this.#unexpected("an accountId", accountId);
      const stateId = row.text("hash");
      if (stateId === undefined) throw this.#unexpected("a hash", accountId);
      const timestamp = row.integer("timestamp");
      if (timestamp === undefined) throw this.#unexpected("a timestamp", accountId);
      const data = row.text("data") ?? this.#largeData(accountId);
      yield accountCopyText({ accountId, stateId, data, timestamp, syncData: { isGlobal } });
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Rows are read many at a time, and so without large data. */
  #largeData(accountId: string): string {
    const select = `SELECT ${storedText("data", seedCopyBytesMax)} FROM accounts WHERE accountId = ?`;
    const data = new SqliteRow(this.#database.prepare(select).get([accountId])).text("data");
    if (data === undefined) {
      throw this.#unexpected(`data of at most ${seedCopyBytesMax} bytes of text`, accountId);
    }
    return data;
  }

  #unexpected(what: string, accountId: string | undefined): Error {
    const of = accountId === undefined ? "" : ` of ${accountId}`;
    return new Error(`${this.#path} has an account without ${what}${of}`);
  }
}

function selection(hint: string): string {
  const columns = [
    storedText("accountId", ADDRESS_DIGITS),
    storedText("data", archiverRowBytes),
    storedText("hash", HASH_BYTES_MAX),
    "timestamp",
  ];
  return `SELECT ${columns.join(", ")} FROM accounts ${hint}
    WHERE accounts.accountId BETWEEN ? AND ? AND isGlobal = ? AND timestamp <= ? ORDER BY accounts.accountId`;
}

/**
 * Returns a URI that opens the file read-only. While an archiver has it open, its newest commits are in a log beside it;
 * without a log nobody writes, and `immutable` keeps SQLite from creating one.
 */
function readOnlyName(path: string): string {
  const mode = hasLog(path) ? "mode=ro" : "mode=ro&immutable=1";
  return `${pathToFileURL(resolve(path)).href}?${mode}`;
}

function hasLog(path: string): boolean {
  return lstatSync(`${path}-wal`, { throwIfNoEntry: false }) !== undefined;
}
