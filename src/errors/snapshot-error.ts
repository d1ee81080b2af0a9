/**
 * The error for the user: what failed and why, a code that decides the exit status, and a hint on what to do. Anything
 * else that is thrown is a bug.
 */

import { constants } from "node:os";
import { messageLine } from "../text/printable.ts";

export type SnapshotErrorCode =
  | "usage"
  | "configuration"
  | "unaligned-timestamp"
  | "incomplete"
  | "verification"
  | "temporary"
  | "no-agreement"
  | "chain"
  | "node-list"
  | "gone"
  | "no-such-snapshot"
  | "locked"
  | "disk"
  /** The target of a restore is in use. */
  | "in-use"
  /** The target of a restore would lose accounts. */
  | "unrestorable"
  | "interrupted";

export interface SnapshotErrorOptions {
  /** One line for each finding or node that the message summarises. */
  readonly details?: readonly string[];
  /** What the user can do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Its texts are printable lines, even if they repeat text from outside. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
  readonly code: SnapshotErrorCode;
  readonly details: readonly string[];
  readonly hint: string | undefined;

  constructor(code: SnapshotErrorCode, message: string, options: SnapshotErrorOptions = {}) {
    super(messageLine(message), options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = (options.details ?? []).map(messageLine);
    this.hint = options.hint === undefined ? undefined : messageLine(options.hint);
  }
}

/** Returns the message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns the system's code (`ENOSPC`, `ECONNREFUSED` …) of an error or of its causes. */
export function systemCodeOf(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code, errno }: NodeJS.ErrnoException = error;
    if (typeof code === "string" && !OWN_CODE.test(code))
      return codeKnownToNode(code) ?? codeOfNumber(errno) ?? code;
    if (error instanceof AggregateError && error.errors.length > 0) return systemCodeOf(error.errors[0]);
  }
  return undefined;
}

/** The codes of this program's errors are in lower case; those of the system are in upper case. */
const OWN_CODE = /^[a-z]/;

/** Node's text for a code that it does not name, such as EDQUOT or ESTALE: "Unknown system error -122". */
const UNKNOWN = /^Unknown system error/;

function codeKnownToNode(code: string): string | undefined {
  return UNKNOWN.test(code) ? undefined : code;
}

function codeOfNumber(errno: number | undefined): string | undefined {
  if (errno === undefined) return undefined;
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0];
}

/** Returns whether the disk is full, or the user's quota is used up. */
export function isDiskFull(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Codes of a path that leads to no readable file. */
const codesOfPaths = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENAMETOOLONG"]);

/**
 * Returns whether the system failed to read a file, so that its content is unknown: a fault of the disk, no descriptors
 * or memory left, no permission.
 */
export function isReadError(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  if (code === undefined || codesOfPaths.has(code)) return false;
  return UNKNOWN.test(code) || /^E(?!RR_)[A-Z0-9]+$/.test(code);
}

/** Returns the error for a file or a directory that cannot be read or written. */
export function diskError(doing: string, thrown: unknown): SnapshotError {
  const full = isDiskFull(thrown);
  return new SnapshotError("disk", `${doing}: ${full ? describeFull(doing, thrown) : messageOf(thrown)}`, {
    cause: thrown,
    hint: full
      ? "Free some space and run again. Verified partitions are kept and not fetched again."
      : (hintForLimit(thrown) ??
        "Check that the directory exists, is writable and is on a healthy disk, and run again."),
  });
}

/** Names the disk or the quota, since `df` shows the disk alone, and the file unless the message names it. */
function describeFull(doing: string, thrown: unknown): string {
  const isQuota = systemCodeOf(thrown) === "EDQUOT";
  const what = isQuota ? "the user's disk quota is used up" : "no space is left on the disk";
  const path = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).path : undefined;
  return path === undefined || doing.includes(path) ? what : `${what} for ${path}`;
}

/** Returns the hint for a limit of the system that is reached; `undefined` for any other error. */
export function hintForLimit(thrown: unknown): string | undefined {
  switch (systemCodeOf(thrown)) {
    case "EMFILE":
      return "Too many files are open. Raise the process's limit of open files (ulimit -n), and run again.";
    case "ENFILE":
      return "Too many files are open on this machine. Raise its limit (sysctl fs.file-max), and run again.";
    case "ENOMEM":
      return "Too little memory is free. Free some, or raise the process's limit (ulimit -v), and run again.";
    default:
      return undefined;
  }
}
