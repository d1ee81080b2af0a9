/** Where a snapshot is published, and what lies beside it while it is made or replaced. */

import { readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError, SnapshotError } from "../errors/snapshot-error.ts";
import { snapshotName } from "../format/snapshot-names.ts";
import { syncPath } from "./durable.ts";
import { removeOwn, requireOwnTree, requireSafePlace, statsOf } from "./own-files.ts";

/** One snapshot of those that are published in a directory. */
export interface SnapshotSpot {
  /** The directory that snapshots are published in. */
  readonly out: string;
  readonly timestamp: number;
}

/** @throws SnapshotError `disk` where nothing can be published safely; a directory that is not there yet will be made */
export async function requirePlace(out: string): Promise<void> {
  await onDisk(`cannot look at ${out}`, () => requireSafePlace(out));
}

export function publishedPath({ out, timestamp }: SnapshotSpot): string {
  return join(out, snapshotName(timestamp));
}

/** Where a snapshot is made. */
export function partialPath(spot: SnapshotSpot): string {
  return besidePath(spot, "partial");
}

/** Where an older snapshot is while another takes its place. */
export function replacedPath(spot: SnapshotSpot): string {
  return besidePath(spot, "replaced");
}

/** The lock of a run that works on a snapshot. */
export function lockPath(spot: SnapshotSpot): string {
  return besidePath(spot, "lock");
}

function besidePath({ out, timestamp }: SnapshotSpot, what: string): string {
  return join(out, `.${snapshotName(timestamp)}.${what}`);
}

/**
 * Whether a snapshot is published there, right or not.
 *
 * @throws SnapshotError `disk` where others may have written, or may yet write, to any of it
 */
export async function isPublished(spot: SnapshotSpot): Promise<boolean> {
  const directory = publishedPath(spot);
  return await onDisk(`cannot look at ${directory}`, () => requireOwnTree(directory, "to be checked"));
}

/**
 * Publishes what is complete. A directory cannot be renamed over a full one: the older snapshot steps aside, and is
 * removed last.
 *
 * @returns why the older snapshot could not be removed, where that failed: the new one is published all the same
 */
export async function putInPlace(spot: SnapshotSpot): Promise<SnapshotError | undefined> {
  const [published, replaced] = [publishedPath(spot), replacedPath(spot)];
  await onDisk(`cannot publish ${published}`, async () => {
    await requireOwnTree(partialPath(spot), "to be kept");
    if (await requireOwnTree(published, "to be removed")) {
      await rename(published, replaced);
      await rename(partialPath(spot), published).catch(async (error: unknown) => {
        // Readers get the older snapshot back; the error that is told is the first one.
        await rename(replaced, published).catch(() => undefined);
        throw error;
      });
    } else await rename(partialPath(spot), published);
    await syncPath(dirname(published));
  });
  return await failureOf(`cannot remove ${replaced}`, () => removeOwn(replaced));
}

/** Syncs the directory of the snapshots: a run that renamed one into its place may have failed to. */
export async function syncPublished(spot: SnapshotSpot): Promise<void> {
  await onDisk(`cannot sync ${spot.out}`, () => syncPath(spot.out));
}

/** A run that was killed while it replaced a snapshot has left the older one aside. */
export async function restoreReplaced(spot: SnapshotSpot): Promise<void> {
  const [published, replaced] = [publishedPath(spot), replacedPath(spot)];
  await onDisk(`cannot put ${replaced} back`, async () => {
    if (!(await requireOwnTree(replaced, "to be removed"))) return;
    if ((await statsOf(published)) !== undefined) await removeOwn(replaced);
    else await rename(replaced, published);
  });
}

/** Removes what an earlier run left of a snapshot that is not to be made any more. */
export async function removePartial(spot: SnapshotSpot): Promise<void> {
  const partial = partialPath(spot);
  await onDisk(`cannot remove ${partial}`, () => removeOwn(partial));
}

const besideName =
  /^\.snapshot-([0-9]{1,16})\.(?:partial|replaced|lock(?:\.holder|(?:\.probe-[0-9]+)?(?:-journal)?))$/;

/** The timestamps of the snapshots that something lies beside, in the directory that snapshots are published in. */
export async function timestampsBeside(out: string): Promise<Set<number>> {
  const names = await onDisk(`cannot look at ${out}`, () => readdir(out));
  return new Set(
    names.flatMap((name) => {
      const digits = besideName.exec(name)?.[1];
      // Another number of digits would be another name.
      return digits !== undefined && String(Number(digits)) === digits ? [Number(digits)] : [];
    }),
  );
}

/** Runs an action on files of ours; what the system says becomes a SnapshotError `disk`. */
export async function onDisk<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(doing, error);
  }
}

async function failureOf(doing: string, action: () => Promise<void>): Promise<SnapshotError | undefined> {
  try {
    await onDisk(doing, action);
    return undefined;
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
}
