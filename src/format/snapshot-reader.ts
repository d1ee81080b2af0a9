/** The interface to the files of a snapshot for code that reads them. */

import type { ByteBudget } from "../limits/byte-budget.ts";
import type { ArtifactScan } from "./artifact.ts";

export interface SnapshotReader {
  /** For messages. */
  readonly directory: string;
  /** Reads a small file. Throws the file system's error, or an error if the file has more than `bytesMax` bytes. */
  readBytes(file: string, bytesMax: number): Promise<Buffer>;
  /** As `readBytes`, in chunks. */
  readChunks(file: string, bytesMax: number): AsyncIterable<Buffer>;
  /** Scans an artifact. Throws an error of the file system or of the decompression, or BudgetExceededError. */
  scan(file: string, hashKey: string, budget: ByteBudget): Promise<ArtifactScan>;
  /** Returns the size of a file without reading it. Throws if it is not a regular file. */
  sizeOf(file: string): Promise<number>;
  /** Lists all files and directories, those in `evidence` included. */
  names(): AsyncIterable<string>;
}
