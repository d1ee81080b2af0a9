/** What a check needs of a snapshot, wherever it is kept. */

/** One pass over an artifact. */
export interface ArtifactScan {
  /** Of the plain text. */
  readonly hash: string;
  readonly accounts: number;
  /** Of the plain text. */
  readonly bytes: number;
  /** The IDs of the first and the last account; `undefined` where there is none. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}

export interface SnapshotReader {
  /** For messages. */
  readonly directory: string;
  /** A small file; throws the file system's error. */
  readBytes(file: string): Promise<Buffer>;
  /** Throws the file system's error, or that of the decompression. */
  scan(file: string, hashKey: string): Promise<ArtifactScan>;
}
