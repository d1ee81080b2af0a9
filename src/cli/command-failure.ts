/** The failure of a command: an error for the user, or a bug of this program. */

import { diskError, hintForLimit, SnapshotError } from "../errors/snapshot-error.ts";
import { messageLine } from "../text/printable.ts";

/** A bug of this program: anything thrown that is not a SnapshotError. */
export class DefectError extends Error {
  override readonly name = "DefectError";
  readonly code = "defect";
  readonly details: readonly string[] = [];
  readonly hint = "This is a bug in snapshot-assemble: please report it.";

  constructor(thrown: unknown) {
    super(messageLine(String(thrown)), { cause: thrown });
  }

  /** The stack, indented because its first lines repeat the message. */
  get stackLines(): string[] {
    const { cause } = this;
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return stack.split("\n").map((line) => `    ${messageLine(line.trim())}`);
  }
}

/** The failure of a command. */
export type CommandFailure = SnapshotError | DefectError;

/** Returns the failure for anything thrown. A limit of the system that is reached is not a bug. */
export function commandFailure(thrown: unknown): CommandFailure {
  if (thrown instanceof SnapshotError) return thrown;
  if (hintForLimit(thrown) !== undefined) return diskError("a limit of the system is reached", thrown);
  return new DefectError(thrown);
}
