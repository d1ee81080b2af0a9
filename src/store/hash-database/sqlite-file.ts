/**
 * A SQLite file of ours: opened with care, written to in transactions, and its errors reported as SnapshotErrors.
 *
 * WAL, so that whoever reads does not wait for whoever writes. `synchronous = FULL`, so that a commit is on
 * the disk when it returns: WAL alone would keep it through the death of our process, but a message that
 * was acknowledged must also survive that of the machine, and whoever sent it has no reason to keep it.
 */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { databaseBusyMs, databaseLogBytesMax } from "../../limits/database.ts";
import { quoted } from "../../wire/parse.ts";
import { withSqliteErrors } from "./sqlite-error.ts";
import { expectedObjects, objectsOf } from "./sqlite-schema.ts";

/** What SQLite takes; whole numbers need a column of type INTEGER to stay what they are. */
export type SqlValue = string | number | Uint8Array | null;

export interface SqliteFormat {
  /** What a file of this format is called in a message. */
  readonly name: string;
  /** SQLite's `application_id`: what tells our files from others. */
  readonly applicationId: number;
  /** SQLite's `user_version`. */
  readonly version: number;
  /** The statements that make an empty file ours. */
  readonly schema: string;
}

export interface SqliteOptions {
  /** Whether a missing file is a failure rather than a new database. */
  readonly mustExist?: boolean;
  /** Whether nothing is ever written to the file, which must exist. */
  readonly isReadOnly?: boolean;
  /** Whether the last commits may be lost with the machine (never with the process): for whoever has another
   *  place to take them from again. */
  readonly isRepeatable?: boolean;
  readonly busyMs?: number;
}

export class SqliteFile {
  readonly path: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  /** What tells the file that is open from another one of its name. */
  readonly #inode: bigint | undefined;

  private constructor(path: string, database: Database.Database) {
    this.path = path;
    this.#database = database;
    this.#inode = inodeOf(path);
  }

  /**
   * What is written to a file that was removed or replaced is lost when it is closed.
   *
   * @throws SnapshotError `disk` where that has happened
   */
  requireInPlace(): void {
    const inode = withSqliteErrors(this.path, () => inodeOf(this.path));
    if (inode === this.#inode) return;
    const what = inode === undefined ? "removed" : "replaced by another file";
    throw new SnapshotError("disk", `${this.path} was ${what} while it was in use`, {
      hint: "Nothing more is written to it. Leave the file in its place while it is used, and start again.",
    });
  }

  /** @throws SnapshotError `configuration` where the file is something else, `disk` where it cannot be had */
  static open(path: string, format: SqliteFormat, options: SqliteOptions = {}): SqliteFile {
    const isReadOnly = options.isReadOnly === true;
    if ((options.mustExist === true || isReadOnly) && !existsSync(path)) {
      throw new SnapshotError("configuration", `there is no ${format.name} ${path}`, {
        hint: "Check the path; collect and a run with --hash-db <file> create one.",
      });
    }
    withSqliteErrors(path, () => requireRegularFile(path));
    if (isReadOnly) requireNotEmpty(path, format);
    const busyMs = options.busyMs ?? databaseBusyMs;
    // A name like https://… would be a database elsewhere, which the library would connect to.
    const name = isReadOnly ? readOnlyName(path) : resolve(path);
    const database = withSqliteErrors(path, () => new Database(name, { timeout: busyMs }));
    const file = new SqliteFile(path, database);
    try {
      file.#distrust();
      if (isReadOnly) file.#requireFormat(format);
      else file.#prepareFile(format, options.isRepeatable === true);
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  run(sql: string, ...values: SqlValue[]): number {
    return withSqliteErrors(this.path, () => this.#statement(sql).run(values).changes);
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return withSqliteErrors(this.path, () => this.#statement(sql).all(values) as T[]);
  }

  /** The first row. */
  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.all<T>(sql, ...values)[0];
  }

  /** All of it or, where it throws, nothing. Takes the write lock first, so that it cannot be lost half-way. */
  write<T>(action: () => T): T {
    this.requireInPlace();
    withSqliteErrors(this.path, () => this.#database.exec("BEGIN IMMEDIATE"));
    try {
      const result = action();
      withSqliteErrors(this.path, () => this.#database.exec("COMMIT"));
      return result;
    } catch (error) {
      // A failed commit may have ended the transaction by itself.
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Holds the state of this moment: every read sees it, whatever others commit, until {@link endRead}. */
  beginRead(): void {
    withSqliteErrors(this.path, () => this.#database.exec("BEGIN"));
    // A transaction begins with its first read.
    this.get("SELECT count(*) FROM sqlite_master");
  }

  endRead(): void {
    if (this.#database.inTransaction) withSqliteErrors(this.path, () => this.#database.exec("COMMIT"));
  }

  /** Moves what the log holds into the file itself, and closes it. */
  close(): void {
    if (!this.#database.open) return;
    this.#statements.clear();
    try {
      this.#database.pragma("wal_checkpoint(TRUNCATE)");
    } catch {
      // Another process may be reading: what is committed stays in the log until somebody can.
    }
    this.#database.close();
  }

  /** Closes it, and leaves the log to those who write: to wait for them would be to wait for ourselves. */
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

  /** Somebody else may have prepared the file: what its schema calls must not have effects. */
  #distrust(): void {
    withSqliteErrors(this.path, () => {
      this.#database.pragma("trusted_schema = OFF");
      this.#database.pragma("cell_size_check = ON");
    });
  }

  /** Nothing is changed in a file before it is known to be ours. */
  #prepareFile(format: SqliteFormat, isRepeatable: boolean): void {
    if (this.#isEmpty()) {
      withSqliteErrors(this.path, () => this.#database.pragma("journal_mode = WAL"));
      this.write(() => {
        if (!this.#isEmpty()) return; // another process was faster
        this.#database.exec(format.schema);
        this.#database.pragma(`application_id = ${format.applicationId}`);
        this.#database.pragma(`user_version = ${format.version}`);
      });
    }
    this.#requireFormat(format);
    withSqliteErrors(this.path, () => {
      this.#database.pragma("journal_mode = WAL");
      this.#database.pragma(`synchronous = ${isRepeatable ? "NORMAL" : "FULL"}`);
      this.#database.pragma(`journal_size_limit = ${databaseLogBytesMax}`);
    });
  }

  #isEmpty(): boolean {
    return this.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_master")?.n === 0;
  }

  #requireFormat(format: SqliteFormat): void {
    const { applicationId, version, name } = format;
    const id = this.get<{ application_id: number }>("PRAGMA application_id")?.application_id;
    const found = this.get<{ user_version: number }>("PRAGMA user_version")?.user_version;
    if (id !== applicationId) {
      throw new SnapshotError("configuration", `${this.path} is a SQLite database, but not one of ours`, {
        hint: "Give a file that does not exist yet, or one that this program has written.",
      });
    }
    if (found === version) {
      this.#requireSchema(format);
      return;
    }
    const problem = `${this.path} has version ${found} of the ${name}, and this program knows version ${version}`;
    const hint =
      (found ?? 0) > version
        ? "A newer version of this program has written it: use that, or give another file."
        : "There is no way to bring it up to date: give another file, and let it be collected anew.";
    throw new SnapshotError("configuration", problem, { hint });
  }

  /** Triggers, views and columns of somebody else's would do other things than our statements say. */
  #requireSchema({ schema, name }: SqliteFormat): void {
    const expected = expectedObjects(schema);
    const found = withSqliteErrors(this.path, () => objectsOf(this.#database));
    const strange =
      [...found].find(([object, sql]) => expected.get(object) !== sql) ??
      [...expected].find(([object]) => !found.has(object));
    if (strange === undefined && this.#isUtf8()) return;
    const what = strange === undefined ? "its text is not UTF-8" : `its ${quoted(strange[0])} is another one`;
    throw new SnapshotError(
      "configuration",
      `${this.path} is no ${name} that this program has written: ${what}`,
      {
        hint: "Give a file that does not exist yet, or one that this program has written.",
      },
    );
  }

  #isUtf8(): boolean {
    return this.get<{ encoding: string }>("PRAGMA encoding")?.encoding === "UTF-8";
  }
}

/** For a pipe, a device or a directory, SQLite reports a failing disk. */
function requireRegularFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return;
  const what = stats.isDirectory() ? "a directory" : "no regular file";
  throw new SnapshotError("disk", `cannot use ${path}: it is ${what}`, {
    hint: "Give a file that does not exist yet, or one that this program has written.",
  });
}

/** `undefined` where there is no file. */
function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** An empty file is what a reader finds of a database that was never written. */
function requireNotEmpty(path: string, { name }: SqliteFormat): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > 0) return;
  throw new SnapshotError("configuration", `${path} is an empty file, and no ${name}`, {
    hint: "Check the path; collect and a run with --hash-db <file> fill one.",
  });
}

/** The binding has no option for it: SQLite itself takes it as part of a URI. */
function readOnlyName(path: string): string {
  return `${pathToFileURL(resolve(path)).href}?mode=ro`;
}
