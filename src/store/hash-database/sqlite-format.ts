/** Checks that a file is a SQLite database in the format of this program. */

import { statSync } from "node:fs";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { quoted } from "../../wire/parse.ts";
import type { SqliteRow } from "./sqlite-row.ts";
import { expectedObjects } from "./sqlite-schema.ts";

/** A file as a command uses it. */
export interface SqliteUse {
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** Returns what to do about a file that this program has not written. A reader cannot use a new file. */
export function ownFileHint({ isReadOnly }: SqliteUse): string {
  return isReadOnly
    ? "Give the file that collect, or a run with --hash-db <file>, has written."
    : "Give a file that does not exist yet, or one that this program has written.";
}

export interface SqliteFormat {
  /** The name of the format in messages. */
  readonly name: string;
  /** SQLite's `application_id`, which identifies the files of this program. */
  readonly applicationId: number;
  /** SQLite's `user_version`. */
  readonly version: number;
  /** The statements that create the format in an empty file. */
  readonly schema: string;
}

/** The parts of an open database that the check reads. */
export interface SqliteContents extends SqliteUse {
  /** Returns the first row of a query. */
  get<T>(read: (row: SqliteRow) => T, sql: string): T | undefined;
  /** Its schema: `table messages` → SQL. */
  objects(): ReadonlyMap<string, string>;
}

/**
 * Checks the format, its version and its schema.
 *
 * @throws SnapshotError `configuration` if the database has another format or version
 */
export function requireFormat(database: SqliteContents, format: SqliteFormat): void {
  const { applicationId, version, name } = format;
  const { path } = database;
  const id = database.get((row) => row.count("application_id"), "PRAGMA application_id");
  const found = database.get((row) => row.count("user_version"), "PRAGMA user_version");
  if (id !== applicationId) {
    throw new SnapshotError(
      "configuration",
      `${path} is a SQLite database, but was not written by this program`,
      {
        hint: ownFileHint(database),
      },
    );
  }
  if (found === version) {
    requireSchema(database, format);
    return;
  }
  const problem = `${path} has version ${found} of the ${name}, but this program knows version ${version}`;
  const hint =
    (found ?? 0) > version
      ? "A newer version of this program has written it: use that version, or give another file."
      : "It cannot be upgraded: give another file, and collect again.";
  throw new SnapshotError("configuration", problem, { hint });
}

/** Checks the schema: foreign triggers, views or columns would change the effect of this program's statements. */
function requireSchema(database: SqliteContents, { schema, name }: SqliteFormat): void {
  const expected = expectedObjects(schema);
  const found = database.objects();
  const strange =
    [...found].find(([object, sql]) => expected.get(object) !== sql) ??
    [...expected].find(([object]) => !found.has(object));
  if (strange === undefined && isUtf8(database)) return;
  const what = strange === undefined ? "its text is not UTF-8" : `its ${quoted(strange[0])} is different`;
  const problem = `${database.path} is not a ${name} that this program has written: ${what}`;
  throw new SnapshotError("configuration", problem, { hint: ownFileHint(database) });
}

function isUtf8(database: SqliteContents): boolean {
  return database.get((row) => row.string("encoding"), "PRAGMA encoding") === "UTF-8";
}

/**
 * Rejects pipes, devices and directories, for which SQLite would report a failing disk.
 *
 * @throws SnapshotError `disk`
 */
export function requireRegularFile(use: SqliteUse): void {
  const { path } = use;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return;
  const what = stats.isDirectory() ? "a directory" : "not a regular file";
  throw new SnapshotError("disk", `cannot use ${path}: it is ${what}`, { hint: ownFileHint(use) });
}

/**
 * Rejects an empty file, which a reader cannot use: nothing was written to it.
 *
 * @throws SnapshotError `configuration`
 */
export function requireNotEmpty(path: string, { name }: SqliteFormat): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > 0) return;
  throw new SnapshotError("configuration", `${path} is an empty file, not a ${name}`, {
    hint: "Check the path; collect and a run with --hash-db <file> fill one.",
  });
}
