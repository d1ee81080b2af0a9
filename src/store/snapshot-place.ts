/** The paths of a snapshot in the output directory, and the renames that publish it. */

import { readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError, SnapshotError } from "../errors/snapshot-error.ts";
import { snapshotName } from "../format/snapshot-names.ts";
import { syncPath } from "./durable.ts";
import { removeOwn, requireOwnTree, requireSafeDirectory, statsOf } from "./own-files.ts";

/** The location of a snapshot. */
export interface SnapshotLocation {
  /** The output directory. */
  readonly out: string;
  readonly timestamp: number;
}

/**
 * Checks the output directory, which need not exist yet.
 *
 * @throws SnapshotError `disk` if nothing can be published in it safely
 */
export async function requireOutput(out: string): Promise<void> {
  await withDiskErrors(`cannot examine ${out}`, () => requireSafeDirectory(out));
}

export function publishedPath({ out, timestamp }: SnapshotLocation): string {
  return join(out, snapshotName(timestamp));
}

/** Returns the directory in which a snapshot is assembled. */
export function partialPath(location: SnapshotLocation): string {
  return siblingPath(location, "partial");
}

/** Returns the directory of an older snapshot while a new one replaces it. */
export function replacedPath(location: SnapshotLocation): string {
  return siblingPath(location, "replaced");
}

/** Returns the lock file of a snapshot. */
export function lockPath(location: SnapshotLocation): string {
  return siblingPath(location, "lock");
}

function siblingPath({ out, timestamp }: SnapshotLocation, what: string): string {
  return join(out, `.${snapshotName(timestamp)}.${what}`);
}

/**
 * Returns whether a snapshot is published, valid or not.
 *
 * @throws SnapshotError `disk` if another user can write to any of it
 */
export async function isPublished(location: SnapshotLocation): Promise<boolean> {
  const directory = publishedPath(location);
  return await withDiskErrors(`cannot examine ${directory}`, () =>
    requireOwnTree(directory, "to be verified"),
  );
}

/**
 * Publishes a complete partial snapshot. A directory cannot be renamed over a non-empty one, so an older snapshot is
 * renamed first, and removed last.
 *
 * @returns why the older snapshot could not be removed, if that failed; the new one is published nevertheless
 */
export async function putInPlace(location: SnapshotLocation): Promise<SnapshotError | undefined> {
  const [published, replaced] = [publishedPath(location), replacedPath(location)];
  await withDiskErrors(`cannot publish ${published}`, async () => {
    await requireOwnTree(partialPath(location), "to be kept");
    if (await requireOwnTree(published, "to be removed")) {
      await rename(published, replaced);
      await rename(partialPath(location), published).catch(async (error: unknown) => {
        // The older snapshot is restored, and the first error is reported.
        await rename(replaced, published).catch(() => undefined);
        throw error;
      });
    } else await rename(partialPath(location), published);
    await syncPath(dirname(published));
  });
  return await failureOf(`cannot remove ${replaced}`, () => removeOwn(replaced));
}

/** Syncs the output directory: the run that published the snapshot may have failed to. */
export async function syncPublished(location: SnapshotLocation): Promise<void> {
  await withDiskErrors(`cannot sync ${location.out}`, () => syncPath(location.out));
}

/** Restores the older snapshot of a run that was killed while it replaced it; removes it if the new one is published. */
export async function restoreReplaced(location: SnapshotLocation): Promise<void> {
  const [published, replaced] = [publishedPath(location), replacedPath(location)];
  await withDiskErrors(`cannot restore ${published} from ${replaced}`, async () => {
    if (!(await requireOwnTree(replaced, "to be removed"))) return;
    if ((await statsOf(published)) !== undefined) await removeOwn(replaced);
    else await rename(replaced, published);
  });
}

/** Removes the partial snapshot of an earlier run. */
export async function removePartial(location: SnapshotLocation): Promise<void> {
  const partial = partialPath(location);
  await withDiskErrors(`cannot remove ${partial}`, () => removeOwn(partial));
}

const siblingName =
  /^\.snapshot-([0-9]{1,16})\.(?:partial|replaced|lock(?:\.holder|(?:\.probe-[0-9]+)?(?:-journal)?))$/;

/** Returns the timestamps of the published and of the partial snapshots in an output directory, as their names say. */
export async function snapshotsIn(out: string): Promise<{ published: number[]; partial: number[] }> {
  const names = await withDiskErrors(`cannot examine ${out}`, async () => {
    return (await statsOf(out)) === undefined ? [] : await readdir(out);
  });
  const timesOf = (pattern: RegExp) =>
    names.flatMap((name) => {
      const digits = pattern.exec(name)?.[1];
      // A number with leading zeros is not the name of a snapshot.
      return digits !== undefined && String(Number(digits)) === digits ? [Number(digits)] : [];
    });
  return {
    published: timesOf(/^snapshot-([0-9]{1,16})$/),
    partial: timesOf(/^\.snapshot-([0-9]{1,16})\.partial$/),
  };
}

/** Returns the timestamps of snapshots with leftovers in the output directory. */
export async function timestampsWithLeftovers(out: string): Promise<Set<number>> {
  const names = await withDiskErrors(`cannot examine ${out}`, () => readdir(out));
  return new Set(
    names.flatMap((name) => {
      const digits = siblingName.exec(name)?.[1];
      // A number with leading zeros is not the name of a snapshot.
      return digits !== undefined && String(Number(digits)) === digits ? [Number(digits)] : [];
    }),
  );
}

/** Runs an action, and converts errors of the system to SnapshotErrors `disk`. */
export async function withDiskErrors<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(doing, error);
  }
}

async function failureOf(doing: string, action: () => Promise<void>): Promise<SnapshotError | undefined> {
  try {
    await withDiskErrors(doing, action);
    return undefined;
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
}
