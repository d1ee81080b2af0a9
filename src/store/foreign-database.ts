/**
 * A SQLite database in the format of another program. Use it in a process that ends afterwards: the binding keeps a closed
 * file open until its statements are garbage collected, and ends the process on text that is not UTF-8.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { SqlValue } from "./hash-database/sqlite-file.ts";
import { SqliteRow } from "./hash-database/sqlite-row.ts";

/** Its methods throw SQLite's errors; see `withSqliteErrors`. */
export class ForeignDatabase {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Opens a database for reading and writing, and creates the file if there is none. Waits for no lock. */
  static open(path: string): ForeignDatabase {
    return new ForeignDatabase(new Database(resolve(path), { timeout: 0 }));
  }

  /** Opens a file that nobody writes. SQLite creates none beside it, and takes no lock. */
  static openImmutable(path: string): ForeignDatabase {
    return new ForeignDatabase(new Database(`${pathToFileURL(resolve(path)).href}?mode=ro&immutable=1`));
  }

  /**
   * Requires a table whose rows are stored: a view, or a column that is computed, could have rows without an end.
   *
   * @throws SnapshotError `configuration`
   */
  requireTable(name: string, path: string): void {
    const table =
      "SELECT count(*) AS n FROM sqlite_schema WHERE name = ? AND type = 'table' AND rootpage > 0";
    const computed = `SELECT count(*) AS n FROM pragma_table_xinfo('${name}') WHERE hidden <> 0`;
    if (this.first(table, name)?.count("n") === 1 && this.first(computed)?.count("n") === 0) return;
    throw new SnapshotError("configuration", `${path} has no table ${name} of an archiver`, {
      hint: "Give the file of that name in the folder of an archiver's databases.",
    });
  }

  /** Runs statements without a result. None of them is kept, so none keeps the file open. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Returns a function that runs a statement with values, and returns the number of rows that it changed. */
  prepare(sql: string): (values: readonly SqlValue[]) => number {
    const statement = this.#database.prepare(sql);
    return (values) => statement.run(values).changes;
  }

  /** Returns a function that runs a query with values, and returns its first row. */
  prepareFirst(sql: string): (values: readonly SqlValue[]) => SqliteRow | undefined {
    const statement = this.#database.prepare(sql);
    return (values) => {
      const row: unknown = statement.get(values);
      return row === undefined ? undefined : new SqliteRow(row);
    };
  }

  /** Returns a function that runs a query with values, and returns its rows. */
  prepareAll(sql: string): (values: readonly SqlValue[]) => SqliteRow[] {
    const statement = this.#database.prepare(sql);
    return (values) => statement.all(values).map((row: unknown) => new SqliteRow(row));
  }

  /** Yields the rows of a query one by one. */
  *rows(sql: string, ...values: readonly SqlValue[]): Generator<SqliteRow, void, void> {
    for (const row of this.#database.prepare(sql).iterate([...values])) yield new SqliteRow(row);
  }

  /** Returns the first row of a query. */
  first(sql: string, ...values: readonly SqlValue[]): SqliteRow | undefined {
    const [row] = this.#database.prepare(sql).all([...values]);
    return row === undefined ? undefined : new SqliteRow(row);
  }

  close(): void {
    this.#database.close();
  }
}
