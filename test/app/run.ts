/** Runs the main job against clusters in this process. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type AssembleResult, assemble } from "../../src/app/assemble.ts";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { SnapshotError } from "../../src/errors/snapshot-error.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

/** Short: the faults that stall never continue. */
export const stallTimeoutMs = 500;

export function optionsFor(cluster: Cluster, changes: Partial<AssembleOptions> = {}): AssembleOptions {
  return {
    archiver: cluster.archiverUrl,
    archiverKey: cluster.archiverPublicKey,
    timestamp: cluster.snapshotTimestamp,
    out: changes.out ?? temporaryDirectory(),
    stallTimeoutMs,
    ...changes,
  };
}

export function assembleFrom(
  cluster: Cluster,
  changes: Partial<AssembleOptions> = {},
): Promise<AssembleResult> {
  return assemble(optionsFor(cluster, changes));
}

/** The failure that a run must end with. */
export async function failureOf(run: Promise<unknown>): Promise<SnapshotError> {
  const thrown = await run.then(
    () => new Error("the run did not fail"),
    (error: unknown) => error,
  );
  if (thrown instanceof SnapshotError) return thrown;
  throw thrown;
}

/** File → bytes, for every file in a directory and below it. */
export function filesIn(directory: string): Map<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

/** File → digest of its bytes, for every file in a directory and below it: `expect` takes seconds to compare a megabyte. */
export function digestsIn(directory: string): Map<string, string> {
  return new Map([...filesIn(directory)].map(([file, bytes]) => [file, digestOf(bytes)]));
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The digests of the files that two archivers compare: all but those of the run itself. */
export function comparedFiles(directory: string): Map<string, string> {
  return new Map(
    [...digestsIn(directory)].filter(([file]) => file !== "run.json" && !file.startsWith("evidence")),
  );
}
