/** A published snapshot, to be read by those who check it. */

import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactScan } from "../model/artifact-scan.ts";
import { evidenceFileBytesMax } from "../model/limits.ts";
import { scanArtifact } from "./artifact-scan.ts";

export class SnapshotDirectory {
  readonly directory: string;
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends a scan that is under way */
  constructor(directory: string, signal?: AbortSignal) {
    this.directory = directory;
    this.#signal = signal;
  }

  /** One of the small files, whole. */
  async readBytes(file: string): Promise<Buffer> {
    const path = join(this.directory, file);
    const size = await sizeOf(path);
    if (size > evidenceFileBytesMax)
      throw new Error(`it has ${size} bytes, more than ${evidenceFileBytesMax}`);
    return await readFile(path);
  }

  async scan(file: string, hashKey: string): Promise<ArtifactScan> {
    const path = join(this.directory, file);
    await sizeOf(path);
    return await scanArtifact(path, file.endsWith(".gz") ? "gzip" : "none", hashKey, this.#signal);
  }
}

/** Anything but a regular file may be somewhere else, or never end. */
async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFile()) throw new Error("it is no regular file");
  return stats.size;
}
