/** An archiver's database of accounts, with the published archiver's tables (RESTORE.md, Target A). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { MANIFEST_FILE, parseManifest } from "../../src/format/manifest.ts";

/** A copy as an artifact has it. */
export interface StoredCopy {
  readonly accountId: string;
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: number;
  readonly timestamp: number;
}

const schema = `
  CREATE TABLE accounts(accountId TEXT NOT NULL UNIQUE PRIMARY KEY, data JSON NOT NULL, timestamp BIGINT NOT NULL,
    hash TEXT NOT NULL, cycleNumber NUMBER NOT NULL, isGlobal BOOLEAN NOT NULL);
  CREATE INDEX accounts_cycleNumber ON accounts(cycleNumber);
  CREATE INDEX accounts_timestamp ON accounts(timestamp);
  CREATE INDEX accounts_cycleNumber_timestamp ON accounts(cycleNumber, timestamp);`;

/** Creates a database; the rows are stored in the given order. The caller closes it. */
export function createArchiverDatabase(path: string, copies: readonly StoredCopy[]): Database.Database {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.exec(schema);
  insertAccounts(database, copies);
  return database;
}

export function insertAccounts(database: Database.Database, copies: readonly StoredCopy[]): void {
  const insert = database.prepare("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, 7, ?)");
  database.exec("BEGIN");
  for (const { accountId, data, timestamp, hash, isGlobal } of copies) {
    insert.run([accountId, data, timestamp, hash, isGlobal]);
  }
  database.exec("COMMIT");
}

/** Returns the accounts of a published snapshot. */
export function copiesOf(directory: string): StoredCopy[] {
  const { artifacts } = parseManifest(readFileSync(join(directory, MANIFEST_FILE), "utf8"));
  return artifacts.flatMap(
    ([, file]) => JSON.parse(readFileSync(join(directory, file), "utf8")) as StoredCopy[],
  );
}
