/** What a reader needs of a snapshot, wherever it is kept. */

import type { ByteBudget } from "../limits/byte-budget.ts";
import type { ArtifactScan } from "./artifact.ts";

export interface SnapshotReader {
  /** For messages. */
  readonly directory: string;
  /** Reads a small file. Throws the file system's error, and an error where the file has more bytes. */
  readBytes(file: string, bytesMax: number): Promise<Buffer>;
  /** As `readBytes`, in chunks. */
  readChunks(file: string, bytesMax: number): AsyncIterable<Buffer>;
  /** Throws the file system's error, that of the decompression, or BudgetExceededError. */
  scan(file: string, hashKey: string, budget: ByteBudget): Promise<ArtifactScan>;
  /** Returns the size of a file without reading it. Throws where it is no regular file. */
  sizeOf(file: string): Promise<number>;
  /** Everything that is there, the files within `evidence` included. */
  names(): AsyncIterable<string>;
}
