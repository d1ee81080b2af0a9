/** The request for a partial snapshot (PROTOCOL.md, Partial snapshots). */
export interface SnapshotReq {
  /** Milliseconds. */
  readonly timestamp: number;
  /** Inclusive. */
  readonly accountStart?: string;
  /** Inclusive. */
  readonly accountEnd?: string;
  /** Only global accounts (true), only other accounts (false), or both. */
  readonly isGlobal?: boolean;
  /** Only accounts whose timestamp is at least this. Milliseconds, a whole number. */
  readonly changedSince?: number;
}
