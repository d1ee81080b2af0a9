/** The directory of a live cluster. */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diskError, SnapshotError } from "../../errors/snapshot-error.ts";
import { makeDirectories } from "../../store/durable.ts";

/**
 * @param path must be new or empty; by default the directory is a new temporary one
 * @throws SnapshotError where it is not empty or cannot be used
 */
export async function openDirectory(path: string | undefined): Promise<string> {
  if (path === undefined) return await mkdtemp(join(tmpdir(), "snapshot-assemble-live-"));
  try {
    await makeDirectories(path);
    if ((await readdir(path)).length === 0) return path;
  } catch (error) {
    throw diskError(`cannot use ${path}`, error);
  }
  throw new SnapshotError("configuration", `${path} is not empty`, {
    hint: "Use a new directory: a live cluster always starts from its genesis state.",
  });
}

/** Retries, since an export process may write until it notices the end of its validator. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
