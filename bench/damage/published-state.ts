/** Compares published snapshots on disk. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a snapshot that do not depend on the run. */
export interface PublishedState {
  readonly files: ReadonlyMap<string, Buffer>;
  /** Artifact → partition. */
  readonly partitions: ReadonlyMap<string, number>;
}

export function publishedState(directory: string): PublishedState {
  const files = new Map<string, Buffer>();
  const partitions = new Map<string, number>();
  for (const file of readdirSync(directory)) {
    if (!/^(?:partition-|export-)/.test(file)) continue;
    files.set(file, readFileSync(join(directory, file)));
    const number = /^partition-(global|[0-9]+)/.exec(file)?.[1];
    if (number !== undefined) partitions.set(file, number === "global" ? -1 : Number(number));
  }
  return { files, partitions };
}

/** Whether a directory is the snapshot of a state. */
export function isSnapshotOf({ files }: PublishedState, directory: string): boolean {
  const names = readdirSync(directory).filter((file) => file !== "run.json" && file !== "evidence");
  return (
    names.length === files.size &&
    names.every((file) => files.get(file)?.equals(readFileSync(join(directory, file))) === true)
  );
}

/** Returns the partitions whose artifacts in a directory are those of a state. */
export function intactPartitions({ files, partitions }: PublishedState, directory: string): Set<number> {
  const intact = new Set<number>();
  for (const [file, partition] of partitions) {
    const path = join(directory, file);
    if (existsSync(path) && files.get(file)?.equals(readFileSync(path)) === true) intact.add(partition);
  }
  return intact;
}

/** Returns a digest of the names and contents in a directory. */
export function treeDigest(directory: string): string {
  if (!existsSync(directory)) return "missing";
  const hash = createHash("sha256");
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { entry, path } of entries) {
    hash.update(`${path.slice(directory.length)}\n`);
    if (entry.isFile()) hash.update(createHash("sha256").update(readFileSync(path)).digest());
  }
  return hash.digest("hex");
}
