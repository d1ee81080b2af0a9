/** Lists the objects of a database, and those that a schema creates in an empty one. */

import Database from "libsql";
import { SqliteRow } from "./sqlite-row.ts";

/** The schemas of this program have a handful of tables and indices. */
const schemaObjectsMax = 100;

/** Schema → the objects that it creates. */
const expectations = new Map<string, ReadonlyMap<string, string>>();

export function expectedObjects(schema: string): ReadonlyMap<string, string> {
  let expected = expectations.get(schema);
  if (expected === undefined) {
    const database = new Database(":memory:", {});
    database.exec(schema);
    expected = objectsOf(database);
    database.close();
    expectations.set(schema, expected);
  }
  return expected;
}

/** Returns the objects of a database, `table messages` → its SQL, without SQLite's own statistics tables. */
export function objectsOf(database: Database.Database): Map<string, string> {
  const rows: unknown[] = database
    .prepare(
      `SELECT CAST(type AS BLOB) AS type, CAST(name AS BLOB) AS name, CAST(sql AS BLOB) AS sql
       FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\' LIMIT ${schemaObjectsMax}`,
    )
    .all([]);
  return new Map(
    rows.map((values) => {
      const row = new SqliteRow(values);
      const sql = row.text("sql") ?? "";
      return [`${row.text("type")} ${row.text("name")}`, sql.replace(/\s+/g, " ")];
    }),
  );
}
