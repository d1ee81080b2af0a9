/** The lock of a target, which only one restore can hold. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { acquireRunLock, type RunLock } from "../store/run-lock.ts";

/** @throws SnapshotError `in-use` if another restore holds the lock, `disk` */
export async function acquireTargetLock(path: string): Promise<RunLock> {
  try {
    return await acquireRunLock(`${path}.restore-lock`);
  } catch (error) {
    if (!(error instanceof SnapshotError) || error.code !== "locked") throw error;
    throw new SnapshotError("in-use", `another restore writes ${path}`, {
      cause: error,
      hint: "Wait for it to end, and run again.",
    });
  }
}
