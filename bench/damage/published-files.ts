/** The files of a published snapshot in memory. */

import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export interface PublishedFiles {
  readonly directory: string;
  /** File → bytes, ascending by file. */
  readonly bytes: ReadonlyMap<string, Buffer>;
}

export async function readPublished(directory: string): Promise<PublishedFiles> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const bytes = new Map<string, Buffer>();
  for (const path of paths.sort()) bytes.set(relative(directory, path), await readFile(path));
  return { directory, bytes };
}
