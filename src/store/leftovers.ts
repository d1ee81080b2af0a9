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
  snapshotsIn,
  timestampsWithLeftovers,
} from "./snapshot-place.ts";

/**
 * Removes the leftovers of all snapshots but the given ones, if they belong to this user and no other run is working on
 * them. Of the others, the newest partial snapshot that no published one is newer than is kept: it may seed this run.
 *
 * @param kept the timestamps that this run may work on itself
 * @returns the errors of removals that failed
 */
export async function removeLeftovers(out: string, kept: ReadonlySet<number>): Promise<SnapshotError[]> {
  const { published, partial } = await snapshotsIn(out);
  const newest = Math.max(...partial.filter((timestamp) => !kept.has(timestamp)));
  const isSeed = newest > Math.max(...published);
  return await removeAll(out, (timestamp) => kept.has(timestamp) || (isSeed && timestamp === newest));
}

/**
 * Removes the leftovers of snapshots that are older than a published one.
 *
 * @returns the errors of removals that failed
 */
export async function removeOlderLeftovers({ out, timestamp }: SnapshotLocation): Promise<SnapshotError[]> {
  return await removeAll(out, (other) => other >= timestamp);
}

async function removeAll(out: string, isKept: (timestamp: number) => boolean): Promise<SnapshotError[]> {
  const problems: SnapshotError[] = [];
  for (const timestamp of await timestampsWithLeftovers(out)) {
    if (isKept(timestamp)) continue;
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
