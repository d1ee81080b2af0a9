/**
 * A SQLite file: it is opened with checks, written in transactions, and reports its errors as SnapshotErrors.
 *
 * WAL lets readers run concurrently with a writer. With `synchronous = FULL`, a commit is on the disk when it returns.
 * WAL alone keeps a commit if the process dies; an acknowledged message must also survive the death of the machine,
 * because its sender has no reason to keep it.
 */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { databaseBusyMs, databaseLogBytesMax } from "../../limits/database.ts";
import { withSqliteErrors } from "./sqlite-error.ts";
import {
  requireFormat,
  requireNotEmpty,
  requireRegularFile,
  type SqliteContents,
  type SqliteFormat,
  type SqliteUse,
} from "./sqlite-format.ts";
import { SqliteRow } from "./sqlite-row.ts";
import { objectsOf } from "./sqlite-schema.ts";

/** A value for SQLite. Whole numbers keep their type only in a column of type INTEGER. */
export type SqlValue = string | number | Uint8Array | null;

export interface SqliteOptions {
  /** Whether a missing file is an error instead of a new database. */
  readonly mustExist?: boolean;
  /** Whether the file is only read; it must exist. */
  readonly isReadOnly?: boolean;
  /** Whether the last commits may be lost if the machine dies (not if the process does), because they can be repeated
   *  from another source. */
  readonly isRepeatable?: boolean;
  readonly busyMs?: number;
}

export class SqliteFile {
  readonly path: string;
  readonly isReadOnly: boolean;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  /** The inode of the open file, which reveals that the file was replaced. */
  readonly #inode: bigint | undefined;

  private constructor({ path, isReadOnly }: SqliteUse, database: Database.Database) {
    this.path = path;
    this.isReadOnly = isReadOnly;
    this.#database = database;
    this.#inode = inodeOf(path);
  }

  /**
   * Checks that the file was not removed or replaced: further writes would be lost.
   *
   * @throws SnapshotError `disk` if it was
   */
  requireInPlace(): void {
    const inode = withSqliteErrors(this, () => inodeOf(this.path));
    if (inode === this.#inode) return;
    const what = inode === undefined ? "removed" : "replaced by another file";
    throw new SnapshotError("disk", `${this.path} was ${what} while it was in use`, {
      hint: "Nothing more is written to it. Do not move the file while it is in use, and start again.",
    });
  }

  /**
   * Opens a file, and creates its format if it is empty and may be written.
   *
   * @throws SnapshotError `configuration` if the file has another format, `disk` if it cannot be used
   */
  static open(path: string, format: SqliteFormat, options: SqliteOptions = {}): SqliteFile {
    const isReadOnly = options.isReadOnly === true;
    const use: SqliteUse = { path, isReadOnly };
    if ((options.mustExist === true || isReadOnly) && !existsSync(path)) {
      throw new SnapshotError("configuration", `the ${format.name} ${path} does not exist`, {
        hint: "Check the path; collect and a run with --hash-db <file> create one.",
      });
    }
    withSqliteErrors(use, () => requireRegularFile(use));
    if (isReadOnly) requireNotEmpty(path, format);
    const busyMs = options.busyMs ?? databaseBusyMs;
    // The library would connect to a name such as https://… as a remote database.
    const name = isReadOnly ? readOnlyName(path) : resolve(path);
    const database = withSqliteErrors(use, () => new Database(name, { timeout: busyMs }));
    const file = new SqliteFile(use, database);
    try {
      file.#distrust();
      if (isReadOnly) requireFormat(file.#contents(), format);
      else file.#prepareFile(format, options.isRepeatable === true);
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  run(sql: string, ...values: SqlValue[]): number {
    return withSqliteErrors(this, () => this.#statement(sql).run(values).changes);
  }

  /** @param read reads one row */
  all<T>(read: (row: SqliteRow) => T, sql: string, ...values: SqlValue[]): T[] {
    const rows: unknown[] = withSqliteErrors(this, () => this.#statement(sql).all(values));
    return rows.map((row) => read(new SqliteRow(row)));
  }

  /** Reads the first row. */
  get<T>(read: (row: SqliteRow) => T, sql: string, ...values: SqlValue[]): T | undefined {
    return this.all(read, sql, ...values)[0];
  }

  /** Runs an action in one transaction, which takes the write lock first. If the action throws, nothing is written. */
  write<T>(action: () => T): T {
    this.requireInPlace();
    withSqliteErrors(this, () => this.#database.exec("BEGIN IMMEDIATE"));
    try {
      const result = action();
      withSqliteErrors(this, () => this.#database.exec("COMMIT"));
      return result;
    } catch (error) {
      // A failed commit may already have ended the transaction.
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Begins a read transaction: until {@link endRead}, every read sees the current state. */
  beginRead(): void {
    withSqliteErrors(this, () => this.#database.exec("BEGIN"));
    // A transaction starts with its first read.
    this.get((row) => row.count("n"), "SELECT count(*) AS n FROM sqlite_master");
  }

  endRead(): void {
    if (this.#database.inTransaction) withSqliteErrors(this, () => this.#database.exec("COMMIT"));
  }

  /** Moves the content of the log into the file, and closes the file. */
  close(): void {
    if (!this.#database.open) return;
    this.#statements.clear();
    try {
      this.#database.pragma("wal_checkpoint(TRUNCATE)");
    } catch {
      // If another process reads, the commits stay in the log until a later checkpoint.
    }
    this.#database.close();
  }

  /** Closes the file without a checkpoint, which is left to the writer: the writer may be in this process. */
  closeReader(): void {
    if (!this.#database.open) return;
    this.#statements.clear();
    this.endRead();
    this.#database.close();
  }

  #statement(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Restricts what the schema of an untrusted file can call. */
  #distrust(): void {
    withSqliteErrors(this, () => {
      this.#database.pragma("trusted_schema = OFF");
      this.#database.pragma("cell_size_check = ON");
    });
  }

  /** Creates the format in an empty file. A file with content is not changed before its format is checked. */
  #prepareFile(format: SqliteFormat, isRepeatable: boolean): void {
    if (this.#isEmpty()) {
      withSqliteErrors(this, () => this.#database.pragma("journal_mode = WAL"));
      this.write(() => {
        if (!this.#isEmpty()) return; // another process was faster
        this.#database.exec(format.schema);
        this.#database.pragma(`application_id = ${format.applicationId}`);
        this.#database.pragma(`user_version = ${format.version}`);
      });
    }
    requireFormat(this.#contents(), format);
    withSqliteErrors(this, () => {
      this.#database.pragma("journal_mode = WAL");
      this.#database.pragma(`synchronous = ${isRepeatable ? "NORMAL" : "FULL"}`);
      this.#database.pragma(`journal_size_limit = ${databaseLogBytesMax}`);
    });
  }

  #contents(): SqliteContents {
    return {
      path: this.path,
      isReadOnly: this.isReadOnly,
      get: (read, sql) => this.get(read, sql),
      objects: () => withSqliteErrors(this, () => objectsOf(this.#database)),
    };
  }

  #isEmpty(): boolean {
    return this.get((row) => row.count("n"), "SELECT count(*) AS n FROM sqlite_master") === 0;
  }
}

/** Returns the inode of a file; `undefined` if it does not exist. */
function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** Returns a URI that opens the file read-only; the binding has no option for it. */
function readOnlyName(path: string): string {
  return `${pathToFileURL(resolve(path)).href}?mode=ro`;
}
