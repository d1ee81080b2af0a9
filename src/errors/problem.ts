/**
 * Why something cannot be done, as plain data. A function returns it if its caller may be able to continue: with
 * an older snapshot, or by reading the lists again. A caller that cannot continue throws {@link errorOf} it.
 */

import { SnapshotError, type SnapshotErrorCode } from "./snapshot-error.ts";

export interface Problem {
  readonly code: SnapshotErrorCode;
  readonly message: string;
  /** What the user can do. */
  readonly hint?: string | undefined;
  readonly details?: readonly string[];
  /** What was thrown, if anything. */
  readonly cause?: unknown;
}

export function errorOf({ code, message, hint, details = [], cause }: Problem): SnapshotError {
  return new SnapshotError(code, message, { details, cause, ...(hint === undefined ? {} : { hint }) });
}
