/**
 * Removes what runs that were killed have left in the directory of the snapshots: an older snapshot that was being
 * replaced, partial snapshots that no run goes on with, and locks.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { acquireRunLock } from "./run-lock.ts";
import {
  lockPath,
  removePartial,
  restoreReplaced,
  type SnapshotSpot,
  timestampsBeside,
} from "./snapshot-place.ts";

/**
 * Removes what lies beside other snapshots than those that are kept, as far as it is our own and no other run works
 * on it.
 *
 * @param kept the timestamps that this run may work on itself
 * @returns why something that nobody works on could not be removed
 */
export async function removeLeftovers(out: string, kept: ReadonlySet<number>): Promise<SnapshotError[]> {
  const problems: SnapshotError[] = [];
  for (const timestamp of await timestampsBeside(out)) {
    if (kept.has(timestamp)) continue;
    try {
      await removeBeside({ out, timestamp });
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      if (error.code !== "locked") problems.push(error);
    }
  }
  return problems;
}

/** The lock is taken for it: who else holds it works on that snapshot. Releasing it removes its files. */
async function removeBeside(spot: SnapshotSpot): Promise<void> {
  const lock = await acquireRunLock(lockPath(spot));
  let problem: unknown;
  try {
    await restoreReplaced(spot);
    await removePartial(spot);
  } catch (error) {
    problem = error;
  }
  const unreleased = await lock.release();
  if ((problem ?? unreleased) !== undefined) throw problem ?? unreleased;
}
