/** What one pass over an artifact finds. */
export interface ArtifactScan {
  /** Of the plain text. */
  readonly hash: string;
  /** Of the file itself, where it is compressed: other bytes may decompress to the same text. */
  readonly fileHash?: string;
  readonly accounts: number;
  /** Of the plain text. */
  readonly bytes: number;
  /** The IDs of the first and the last account; `undefined` where there is none. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}
