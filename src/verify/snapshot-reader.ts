/** What a check needs of a snapshot, wherever it is kept. */

import type { ArtifactScan } from "../model/artifact-scan.ts";

export interface SnapshotReader {
  /** For messages. */
  readonly directory: string;
  /** A small file; throws the file system's error. */
  readBytes(file: string): Promise<Buffer>;
  /** Throws the file system's error, or that of the decompression. */
  scan(file: string, hashKey: string): Promise<ArtifactScan>;
}
