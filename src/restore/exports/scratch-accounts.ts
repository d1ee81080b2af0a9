/** The accounts that an export is made of and compared with: a database that was read back, in a scratch file. */

import { restoreCacheKiB } from "../../limits/restore.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import type { SqlValue } from "../../store/hash-database/sqlite-file.ts";
import type { SqliteRow } from "../../store/hash-database/sqlite-row.ts";
import type { AccountCopy } from "../account-copy.ts";
import type { Export, ExportCounts } from "./export-form.ts";

const columns = "accountId, data, hash, isGlobal, timestamp";

/** Accounts are global before others in the artifacts, and in order of address in each. */
export type ScratchOrder = "artifacts" | "timestamp";

/** SQLite sorts more than its cache holds in files. */
const orders: Readonly<Record<ScratchOrder, string>> = {
  artifacts: "rowid",
  timestamp: "timestamp, accountId",
};

export class ScratchAccounts {
  readonly #database: ForeignDatabase;
  readonly #where: string;
  readonly #find: (values: readonly SqlValue[]) => SqliteRow | undefined;

  constructor({ scratch, chosen }: Pick<Export, "scratch" | "chosen">) {
    this.#database = ForeignDatabase.openImmutable(scratch);
    this.#database.exec(`PRAGMA temp_store = FILE; PRAGMA cache_size = -${restoreCacheKiB}`);
    this.#where = chooseAccounts(this.#database, chosen);
    this.#find = this.#database.prepareFirst(`SELECT ${columns} FROM accounts WHERE accountId = ?`);
  }

  /** The accounts that are exported. */
  get counts(): ExportCounts {
    const select = `SELECT count(*) AS total, count(*) FILTER (WHERE isGlobal = 1) AS global FROM accounts ${this.#where}`;
    const row = this.#database.first(select);
    return { total: row?.count("total") ?? 0, global: row?.count("global") ?? 0 };
  }

  /** Yields the accounts that are exported. */
  *copies(order: ScratchOrder): Generator<AccountCopy, void, void> {
    const sql = `SELECT ${columns} FROM accounts ${this.#where} ORDER BY ${orders[order]}`;
    for (const row of this.#database.rows(sql)) yield copyOf(row);
  }

  /** Returns an account by its ID, whether it is exported or not. */
  find(accountId: string): AccountCopy | undefined {
    const row = this.#find([accountId]);
    return row === undefined ? undefined : copyOf(row);
  }
}

/** Makes a table of the chosen accounts, and returns the condition that selects them. */
export function chooseAccounts(database: ForeignDatabase, chosen: readonly string[] | null): string {
  if (chosen === null) return "";
  database.exec("CREATE TEMP TABLE chosen(accountId TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID");
  const insert = database.prepare("INSERT OR IGNORE INTO chosen VALUES (?)");
  for (const accountId of chosen) insert([accountId]);
  return "WHERE accountId IN (SELECT accountId FROM chosen)";
}

function copyOf(row: SqliteRow): AccountCopy {
  return {
    accountId: row.string("accountId"),
    data: row.string("data"),
    hash: row.string("hash"),
    isGlobal: row.count("isGlobal") === 1 ? 1 : 0,
    timestamp: row.count("timestamp"),
  };
}
