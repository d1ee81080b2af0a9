/** Checks that a file is the whole index of a snapshot. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import { indexApplicationId, indexIndexes, indexTables, indexVersion } from "./index-format.ts";

/** Returns why a file is not the index of a snapshot; `undefined` if it is. */
export function problemOfIndex(path: string, digest: string): string | undefined {
  try {
    return withSqliteErrors({ path, isReadOnly: true }, () =>
      problemOf(ForeignDatabase.openImmutable(path), digest),
    );
  } catch (error) {
    if (error instanceof SnapshotError) return error.message;
    throw error;
  }
}

function problemOf(database: ForeignDatabase, digest: string): string | undefined {
  const pragma = (name: string) => database.first(`PRAGMA ${name}`)?.integer(name);
  if (pragma("application_id") !== indexApplicationId) return "it is not an index of this program";
  const version = pragma("user_version");
  if (version !== indexVersion) return `it has version ${version}, not ${indexVersion}`;
  if (!hasSchema(database)) return "its tables are not those of an index";
  // Read as bytes: the binding ends the process on text that is not UTF-8.
  const found = database.first("SELECT CAST(digest AS BLOB) AS digest, accounts FROM snapshot");
  if (found === undefined) return "it names no snapshot";
  const named = Buffer.from(found.bytes("digest")).toString("hex");
  if (named !== digest) return `it is that of another snapshot, ${named}`;
  const damage = database.first("PRAGMA integrity_check(1)")?.string("integrity_check");
  if (damage !== "ok") return `it is damaged: ${damage}`;
  const accounts = database.first("SELECT count(*) AS accounts FROM accounts")?.integer("accounts");
  return accounts === found.integer("accounts") ? undefined : "it is damaged: accounts are missing";
}

function hasSchema(database: ForeignDatabase): boolean {
  const statements = `${indexTables}${indexIndexes}`.split(";").map(plain);
  const expected = statements.filter((sql) => sql !== "").sort();
  const select = "SELECT CAST(sql AS BLOB) AS sql FROM sqlite_master";
  const found = [...database.rows(select)].map((row) =>
    plain(Buffer.from(row.bytes("sql")).toString("utf8")),
  );
  return JSON.stringify(found.sort()) === JSON.stringify(expected);
}

function plain(sql: string): string {
  return sql.replace(/\s+/g, " ").trim();
}
