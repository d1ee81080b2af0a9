/**
 * Removes the leftovers of killed runs in the output directory: replaced snapshots, partial snapshots that no run
 * continues, and locks.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { acquireRunLock } from "./run-lock.ts";
import {
  lockPath,
  removePartial,
  restoreReplaced,
  type SnapshotLocation,
  timestampsWithLeftovers,
} from "./snapshot-place.ts";

/**
 * Removes the leftovers of all snapshots but the given ones, if they belong to this user and no other run is working on
 * them.
 *
 * @param kept the timestamps that this run may work on itself
 * @returns the errors of removals that failed
 */
export async function removeLeftovers(out: string, kept: ReadonlySet<number>): Promise<SnapshotError[]> {
  const problems: SnapshotError[] = [];
  for (const timestamp of await timestampsWithLeftovers(out)) {
    if (kept.has(timestamp)) continue;
    try {
      await removeLeftoversOf({ out, timestamp });
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      if (error.code !== "locked") problems.push(error);
    }
  }
  return problems;
}

/** Takes the lock of the snapshot, which a run that works on it holds. Releasing the lock removes its files. */
async function removeLeftoversOf(location: SnapshotLocation): Promise<void> {
  const lock = await acquireRunLock(lockPath(location));
  let problem: unknown;
  try {
    await restoreReplaced(location);
    await removePartial(location);
  } catch (error) {
    problem = error;
  }
  const unreleased = await lock.release();
  if ((problem ?? unreleased) !== undefined) throw problem ?? unreleased;
}
