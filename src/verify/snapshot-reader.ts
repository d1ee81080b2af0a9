/** What a check needs of a snapshot, wherever it is kept. */

import type { ArtifactScan } from "../format/artifact-scan.ts";
import type { ByteBudget } from "../limits/byte-budget.ts";

export interface SnapshotReader {
  /** For messages. */
  readonly directory: string;
  /** A small file; throws the file system's error, and where it has more bytes. */
  readBytes(file: string, bytesMax: number): Promise<Buffer>;
  /** The same, piece by piece. */
  readChunks(file: string, bytesMax: number): AsyncIterable<Buffer>;
  /** Throws the file system's error, that of the decompression, or BudgetExceeded. */
  scan(file: string, hashKey: string, budget: ByteBudget): Promise<ArtifactScan>;
  /** The size of a file, without reading it; throws where it is no regular file. */
  sizeOf(file: string): Promise<number>;
  /** Everything that is there, the files within `evidence` included. */
  names(): AsyncIterable<string>;
}
