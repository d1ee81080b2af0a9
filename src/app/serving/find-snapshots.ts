/** Finds the snapshots in the directories that a server is given. */

import { join } from "node:path";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { MANIFEST_FILE } from "../../format/manifest.ts";
import { snapshotName } from "../../format/snapshot-names.ts";
import { servedSnapshotsMax } from "../../limits/serve.ts";
import { statsOf } from "../../store/own-files.ts";
import { snapshotsIn } from "../../store/snapshot-place.ts";

/**
 * Returns the directories of the snapshots: each given directory that is not a snapshot is one of published snapshots. A
 * directory with neither is returned itself, so that its verification says why it is not a snapshot.
 *
 * @throws SnapshotError `disk` if a directory cannot be read, `usage` for too many snapshots
 */
export async function findSnapshots(directories: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    const stats = await statsOf(join(directory, MANIFEST_FILE)).catch(() => undefined);
    const isParent = stats === undefined && (await statsOf(directory))?.isDirectory() === true;
    const published = isParent ? (await snapshotsIn(directory)).published.toSorted((a, b) => a - b) : [];
    if (published.length === 0) found.push(directory);
    else found.push(...published.map((timestamp) => join(directory, snapshotName(timestamp))));
  }
  if (found.length <= servedSnapshotsMax) return found;
  throw new SnapshotError("usage", `${found.length} snapshots are more than ${servedSnapshotsMax}`, {
    hint: "Start several servers, or move old snapshots away.",
  });
}
