/** What a command fails with: an error that the user is meant to see, or a bug of this program. */

import { diskError, hintForLimit, SnapshotError } from "../errors/snapshot-error.ts";
import { messageLine } from "../text/printable.ts";

/** A bug of this program: anything that is thrown and is no SnapshotError. */
export class DefectError extends Error {
  override readonly name = "DefectError";
  readonly code = "defect";
  readonly details: readonly string[] = [];
  readonly hint = "This is a defect of snapshot-assemble: please report it.";

  constructor(thrown: unknown) {
    super(messageLine(String(thrown)), { cause: thrown });
  }

  /** Indented, since its first lines are the message of what was thrown. */
  get stackLines(): string[] {
    const { cause } = this;
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return stack.split("\n").map((line) => `    ${messageLine(line.trim())}`);
  }
}

/** What a command fails with. */
export type CommandFailure = SnapshotError | DefectError;

/** What the system gave no more of is no bug, wherever it was noticed. */
export function commandFailure(thrown: unknown): CommandFailure {
  if (thrown instanceof SnapshotError) return thrown;
  if (hintForLimit(thrown) !== undefined) return diskError("the system gives this process no more", thrown);
  return new DefectError(thrown);
}
