/** Exports accounts as the tables of a validator's database, and reads them back. */

import { restoreCacheKiB, restoreProgressAccounts } from "../../limits/restore.ts";
import { syncPath } from "../../store/durable.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import { coreTables, insertCoreState, problemOfCoreState } from "./core-tables.ts";
import type { Export, ExportCounts } from "./export-form.ts";
import { differs } from "./export-lines.ts";
import { chooseAccounts, ScratchAccounts } from "./scratch-accounts.ts";

interface AccountTable {
  readonly schema: string;
  readonly indexes: string;
  /** Copies the accounts of the scratch database; the condition and the order follow. */
  readonly insert: (order: Export) => string;
  /** Selects the columns of a copy; those that the table lacks are NULL. */
  readonly select: string;
}

const tables: Readonly<Record<"accounts-entry" | "core-tables", AccountTable>> = {
  /** Shardeum 1.14, `src/storage/storage.ts`. */
  "accounts-entry": {
    schema: `CREATE TABLE accountsEntry (accountId VARCHAR(255) NOT NULL, timestamp BIGINT NOT NULL, data JSON NOT NULL,
      PRIMARY KEY (accountId))`,
    indexes: "CREATE INDEX timestamp1 ON accountsEntry(timestamp)",
    insert: () => "INSERT INTO accountsEntry SELECT accountId, timestamp, data FROM scratch.accounts",
    select: "SELECT accountId, timestamp, data, NULL AS hash, NULL AS isGlobal FROM accountsEntry",
  },
  "core-tables": {
    schema: coreTables,
    indexes: "",
    insert: ({ core }) =>
      `INSERT INTO accountsCopy SELECT accountId, ${core.cycle}, data, timestamp, hash, isGlobal FROM scratch.accounts`,
    select: "SELECT accountId, timestamp, data, hash, isGlobal FROM accountsCopy",
  },
};

/** Writes and syncs a new file. */
export async function writeTables(
  order: Export & { readonly form: keyof typeof tables },
): Promise<ExportCounts> {
  const { path, form, scratch, chosen, core } = order;
  const { schema, indexes, insert } = tables[form];
  withSqliteErrors({ path, isReadOnly: false }, () => {
    const database = ForeignDatabase.open(path);
    database.exec(
      `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -${restoreCacheKiB}`,
    );
    database.exec(schema);
    database.exec(`ATTACH DATABASE '${scratch.replaceAll("'", "''")}' AS scratch`);
    const where = chooseAccounts(database, chosen);
    database.exec("BEGIN");
    database.exec(`${insert(order)} ${where} ORDER BY rowid`);
    if (form === "core-tables") insertCoreState(database, core);
    database.exec("COMMIT");
    database.exec(indexes);
    database.close();
  });
  await syncPath(path);
  return new ScratchAccounts(order).counts;
}

/**
 * Reads a database back: each row must be an account of the scratch database, and each account must be there.
 *
 * @throws SnapshotError `disk`
 */
export function checkTables(
  order: Export & { readonly form: keyof typeof tables },
  onProgress: (accounts: number) => void,
): ExportCounts {
  const { path, form, chosen, core } = order;
  return withSqliteErrors({ path, isReadOnly: true }, () => {
    const accounts = new ScratchAccounts(order);
    const isChosen = chosen === null ? undefined : new Set(chosen);
    const database = ForeignDatabase.openImmutable(path);
    let count = 0;
    for (const row of database.rows(tables[form].select)) {
      const accountId = row.string("accountId");
      const expected = accounts.find(accountId);
      const isEqual =
        expected !== undefined &&
        expected.data === row.string("data") &&
        expected.timestamp === row.count("timestamp") &&
        (form === "accounts-entry" ||
          (expected.hash === row.string("hash") && expected.isGlobal === row.count("isGlobal")));
      if (!isEqual) throw differs(path, `the row of ${accountId} is not an account of the snapshot`);
      if (isChosen?.has(accountId) === false)
        throw differs(path, `the row of ${accountId} was not asked for`);
      if (++count % restoreProgressAccounts === 0) onProgress(count);
    }
    const { counts } = accounts;
    if (count !== counts.total) throw differs(path, `it has ${count} accounts, not ${counts.total}`);
    const problem =
      (form === "core-tables" ? problemOfCoreState(database, core) : undefined) ??
      database.first("PRAGMA integrity_check(1)")?.string("integrity_check");
    if (problem !== "ok") throw differs(path, problem ?? "its indexes cannot be checked");
    return counts;
  });
}
