/** A published snapshot, to be read by those who check it. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { evidenceFileBytesMax } from "../model/limits.ts";
import { type ArtifactScan, scanArtifact } from "./artifact-scan.ts";

export class SnapshotDirectory {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** One of the small files, whole. */
  async readBytes(file: string): Promise<Buffer> {
    const path = join(this.directory, file);
    const { size } = await stat(path);
    if (size > evidenceFileBytesMax)
      throw new Error(`it has ${size} bytes, more than ${evidenceFileBytesMax}`);
    return await readFile(path);
  }

  scan(file: string, hashKey: string): Promise<ArtifactScan> {
    return scanArtifact(join(this.directory, file), file.endsWith(".gz") ? "gzip" : "none", hashKey);
  }
}
