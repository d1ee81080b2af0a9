/** Completes the database of an archiver that crashed: its newest commits are in a log beside it. */

import { SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";

export interface CloseOrder {
  readonly kind: "close";
  readonly path: string;
}

/**
 * Moves the log into the database and removes it. This takes a lock that no other process may share, so it fails while an
 * archiver has the database open.
 *
 * @throws SnapshotError `in-use` if another process has it open, `disk`
 */
export function closeCrashed({ path }: CloseOrder): null {
  withSqliteErrors({ path, isReadOnly: false }, () => {
    const database = ForeignDatabase.open(path);
    try {
      database.exec("PRAGMA journal_mode = DELETE");
      database.exec("BEGIN EXCLUSIVE; COMMIT");
    } catch (error) {
      if (/^SQLITE_(?:BUSY|LOCKED)/.test(systemCodeOf(error) ?? "")) throw isOpen(path, error);
      throw error;
    } finally {
      database.close();
    }
  });
  return null;
}

function isOpen(path: string, cause: unknown): SnapshotError {
  return new SnapshotError("in-use", `another process has ${path} open`, {
    cause,
    hint: "Stop the archiver, and every other program that reads its database, and run again.",
  });
}
