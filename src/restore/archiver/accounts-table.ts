/**
 * Writes the accounts of a snapshot to a new file as the published archiver keeps them (archiver 3.7.7,
 * `src/dbstore/index.ts`). Runs in a process of its own: the SQLite binding keeps a closed file open until its statements
 * are garbage collected, and ends the process on text that is not UTF-8.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { restoreCacheKiB, restoreProgressAccounts } from "../../limits/restore.ts";
import { syncPath } from "../../store/durable.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import type { SqlValue } from "../../store/hash-database/sqlite-file.ts";
import { type AccountCopy, readCopies } from "../account-copy.ts";

/** Rows of one statement: a call of the SQLite binding takes more time than a row. More rows save nothing more. */
const rowsAtOnce = 20;

/** Runs the statement with the values of its rows. Returns how many were added. */
type AddRows = (values: readonly SqlValue[]) => number;

/** `archiver`: as the archiver keeps them. `scratch`: any text as data, and no indexes, for an export. */
export type AccountsForm = "archiver" | "scratch";

function accountsTable(form: AccountsForm): string {
  // SQLite would make a number of the text 17 in a column of the type JSON.
  const data = form === "archiver" ? "JSON" : "TEXT";
  return `CREATE TABLE accounts(accountId TEXT NOT NULL UNIQUE PRIMARY KEY, data ${data} NOT NULL,
    timestamp BIGINT NOT NULL, hash TEXT NOT NULL, cycleNumber NUMBER NOT NULL, isGlobal BOOLEAN NOT NULL)`;
}

const accountsIndexes = `CREATE INDEX accounts_cycleNumber ON accounts(cycleNumber);
  CREATE INDEX accounts_timestamp ON accounts(timestamp);
  CREATE INDEX accounts_cycleNumber_timestamp ON accounts(cycleNumber, timestamp);`;

export interface WriteOrder {
  readonly kind: "write";
  /** A file that does not exist. */
  readonly path: string;
  readonly form: AccountsForm;
  readonly cycle: number;
  /** Paths of the artifacts, in order of partition. */
  readonly artifacts: readonly string[];
}

/**
 * Writes all accounts in one transaction, then the indexes, and syncs the file. There is no journal: a file that was not
 * finished is discarded, so nothing is ever rolled back.
 *
 * @param onProgress called with the number of accounts so far
 * @returns the number of accounts
 * @throws SnapshotError `disk`; `unrestorable` if an account is in the snapshot twice
 */
export async function writeAccounts(
  { path, form, cycle, artifacts }: WriteOrder,
  onProgress: (accounts: number) => void,
): Promise<number> {
  const use = { path, isReadOnly: false };
  const database = withSqliteErrors(use, () => ForeignDatabase.open(path));
  const run = (sql: string) => withSqliteErrors(use, () => database.exec(sql));
  // Without a file for what is sorted, SQLite holds it in memory; a second thread sorts.
  run(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA threads = 2;
    PRAGMA cache_size = -${restoreCacheKiB}`);
  run(accountsTable(form));
  run("BEGIN");
  const rows = new AccountRows(database, cycle);
  let accounts = 0;
  for (const artifact of artifacts) {
    for await (const copies of readCopies(artifact)) {
      withSqliteErrors(use, () => rows.add(copies));
      const before = accounts;
      accounts = rows.count;
      if (Math.floor(before / restoreProgressAccounts) < Math.floor(accounts / restoreProgressAccounts)) {
        onProgress(accounts);
      }
    }
  }
  run("COMMIT");
  if (form === "archiver") run(accountsIndexes);
  database.close();
  await syncPath(path);
  return accounts;
}

class AccountRows {
  readonly #database: ForeignDatabase;
  readonly #cycle: number;
  readonly #addOne: AddRows;
  readonly #addMany: AddRows;
  #count = 0;

  constructor(database: ForeignDatabase, cycle: number) {
    this.#database = database;
    this.#cycle = cycle;
    const prepare = (rows: number) => {
      const values = Array(rows).fill("(?, ?, ?, ?, ?, ?)").join(", ");
      return database.prepare(`INSERT OR IGNORE INTO accounts VALUES ${values}`);
    };
    this.#addOne = prepare(1);
    this.#addMany = prepare(rowsAtOnce);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws SnapshotError `unrestorable` if the table has one of the accounts */
  add(copies: readonly AccountCopy[]): void {
    let next = 0;
    for (; next + rowsAtOnce <= copies.length; next += rowsAtOnce) {
      this.#insert(this.#addMany, copies.slice(next, next + rowsAtOnce));
    }
    for (const copy of copies.slice(next)) this.#insert(this.#addOne, [copy]);
  }

  #insert(add: AddRows, copies: readonly AccountCopy[]): void {
    const values: SqlValue[] = [];
    for (const { accountId, data, timestamp, hash, isGlobal } of copies) {
      values.push(accountId, data, timestamp, hash, this.#cycle, isGlobal);
    }
    const added = add(values);
    if (added < copies.length) throw isTwice(this.#firstIgnored(copies));
    this.#count += added;
  }

  /** Rows are numbered from 1 on, in the order in which they are added. */
  #firstIgnored(copies: readonly AccountCopy[]): string {
    const rowOf = this.#database.prepareFirst("SELECT rowid FROM accounts WHERE accountId = ?");
    const isIgnored = ({ accountId }: AccountCopy, index: number) =>
      rowOf([accountId])?.count("rowid") !== this.#count + index + 1;
    return copies.find(isIgnored)?.accountId ?? "";
  }
}

function isTwice(accountId: string): SnapshotError {
  return new SnapshotError(
    "unrestorable",
    `the snapshot has the account ${accountId} twice, and the table has one row for it`,
    { hint: "An account that is global and in a partition as well cannot be restored to this target." },
  );
}
