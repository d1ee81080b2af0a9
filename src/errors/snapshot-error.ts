/**
 * The one error that a user is meant to see: what happened, under a code that decides the exit status,
 * and what to do next. Anything else that is thrown is a defect of ours.
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
  | "interrupted";

export interface SnapshotErrorOptions {
  /** What the message comes from, line by line: one finding, or one node's outcome, each. */
  readonly details?: readonly string[];
  /** What the user can do about it, as one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Its texts are printable lines, whatever was put into them: they may repeat what others sent. */
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

/** The message of anything that was thrown, for a sentence of our own. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system's code (`ENOSPC`, `ECONNREFUSED` …) of an error or of its causes, if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code, errno }: NodeJS.ErrnoException = error;
    if (typeof code === "string" && !OWN_CODE.test(code))
      return codeKnownToNode(code) ?? codeOfNumber(errno) ?? code;
    if (error instanceof AggregateError && error.errors.length > 0) return systemCodeOf(error.errors[0]);
  }
  return undefined;
}

/** The codes of this program's errors are in lower case. The system has no such code. */
const OWN_CODE = /^[a-z]/;

/** What Node has no name for, it calls "Unknown system error -122": EDQUOT and ESTALE are such. */
const UNKNOWN = /^Unknown system error/;

function codeKnownToNode(code: string): string | undefined {
  return UNKNOWN.test(code) ? undefined : code;
}

function codeOfNumber(errno: number | undefined): string | undefined {
  if (errno === undefined) return undefined;
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0];
}

/** Whether it failed since the disk, or this user's share of it, is full. */
export function isDiskFull(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** What the system says of a name that leads to no file, or to none that can be read: the file is wrong. */
const codesOfNames = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENAMETOOLONG"]);

/**
 * Whether the system failed to read (a fault of the disk, no descriptors or memory left, no permission), so that
 * nothing is known of what the file holds.
 */
export function isReadError(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  if (code === undefined || codesOfNames.has(code)) return false;
  return UNKNOWN.test(code) || /^E(?!RR_)[A-Z0-9]+$/.test(code);
}

/** A file or directory of ours that could not be read or written. */
export function diskError(doing: string, thrown: unknown): SnapshotError {
  const full = isDiskFull(thrown);
  return new SnapshotError("disk", `${doing}: ${full ? describeFull(doing, thrown) : messageOf(thrown)}`, {
    cause: thrown,
    hint: full
      ? "Free some space and run again: what is verified already is kept and not fetched again."
      : (hintForLimit(thrown) ??
        "Check that the directory exists on a healthy disk and may be written to, and run again."),
  });
}

/** Which of both is full, since `df` tells of the disk alone; and for which file, where that is not said. */
function describeFull(doing: string, thrown: unknown): string {
  const isQuota = systemCodeOf(thrown) === "EDQUOT";
  const what = isQuota ? "this user's quota of the disk is used up" : "no space is left on the disk";
  const path = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).path : undefined;
  return path === undefined || doing.includes(path) ? what : `${what} for ${path}`;
}

/** What the system gave no more of to this process; `undefined` where it is something else. */
export function hintForLimit(thrown: unknown): string | undefined {
  switch (systemCodeOf(thrown)) {
    case "EMFILE":
      return "Too many files are open: raise the limit of open files of this process (ulimit -n), and run again.";
    case "ENFILE":
      return "Too many files are open on this machine: raise its limit (sysctl fs.file-max), and run again.";
    case "ENOMEM":
      return "There is too little memory: free some or raise the limit of this process (ulimit -v), and run again.";
    default:
      return undefined;
  }
}
