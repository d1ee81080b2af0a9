/** Explains why a path is not a snapshot. */

import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";
import { MANIFEST_FILE } from "../format/manifest.ts";
import { counted } from "../text/counted.ts";

export async function missingSnapshot(directory: string): Promise<SnapshotError> {
  const { problem, hint } = await causeOf(directory);
  return new SnapshotError("no-such-snapshot", problem, { hint });
}

async function causeOf(directory: string): Promise<{ problem: string; hint: string }> {
  const hint = "Give the directory of a published snapshot, such as snapshots/snapshot-1700000640000.";
  const kind = await kindOf(directory);
  if (kind === "missing") {
    const parent = await missingParent(directory);
    const where = parent === undefined ? "" : `: there is no directory ${parent}`;
    return { problem: `${directory} does not exist${where}`, hint: `Check the path. ${hint}` };
  }
  if (kind === "below a file")
    return { problem: `${directory} does not exist: a part of the path is a file`, hint };
  if (kind === "file") return { problem: `${directory} is a file, not a snapshot`, hint };
  const names = kind === "directory" ? await snapshotsIn(directory) : [];
  const [newest] = names;
  if (newest !== undefined) {
    return {
      problem: `${directory} is not a snapshot, but contains ${counted(names.length, "snapshot")}`,
      hint: `Give one of them, such as ${join(directory, newest)}.`,
    };
  }
  return { problem: `${directory} is not a snapshot: it has no ${MANIFEST_FILE}`, hint };
}

type PathKind = "missing" | "below a file" | "file" | "directory" | "unknown";

async function kindOf(path: string): Promise<PathKind> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "file";
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT") return "missing";
    return code === "ENOTDIR" ? "below a file" : "unknown";
  }
}

/** Returns the topmost missing parent directory of a path. */
async function missingParent(path: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let parent = dirname(resolve(path)); parent !== dirname(parent); parent = dirname(parent)) {
    if ((await kindOf(parent)) !== "missing") break;
    missing = parent;
  }
  return missing;
}

/** Returns the snapshots in a directory, the newest first. */
async function snapshotsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  return names
    .filter((name) => /^snapshot-\d+$/.test(name))
    .sort()
    .reverse();
}
