/** Converts errors of SQLite to SnapshotErrors. */

import { diskError, messageOf, SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { ownFileHint, type SqliteUse } from "./sqlite-format.ts";

/**
 * Runs an action of SQLite, and translates its errors.
 *
 * @throws SnapshotError if the action throws
 */
export function withSqliteErrors<T>(use: SqliteUse, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof SnapshotError ? error : failureOf(use, error);
  }
}

function failureOf(use: SqliteUse, error: unknown): SnapshotError {
  const { path } = use;
  const code = systemCodeOf(error) ?? "";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new SnapshotError("temporary", `another process holds the lock of ${path}`, {
      cause: error,
      hint: "Find out which process it is, or try again when it has ended.",
    });
  }
  if (code === "SQLITE_NOTADB") {
    return new SnapshotError("configuration", `${path} is not a SQLite database`, {
      cause: error,
      hint: ownFileHint(use),
    });
  }
  if (code.startsWith("SQLITE_CORRUPT")) {
    return new SnapshotError("disk", `${path} is damaged: ${messageOf(error)}`, {
      cause: error,
      hint: "Restore it from a backup, or move it away and collect again into a new file.",
    });
  }
  if (code === "SQLITE_FULL") {
    return diskError(`cannot write ${path}`, Object.assign(new Error(messageOf(error)), { code: "ENOSPC" }));
  }
  const isDisk =
    /^SQLITE_(IOERR|READONLY|CANTOPEN|PERM)/.test(code) || /ConnectionFailed/.test(messageOf(error));
  return diskError(`cannot use ${path}`, isDisk ? error : new Error(messageOf(error), { cause: error }));
}
