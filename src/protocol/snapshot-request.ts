/** The request for a partial snapshot (PROTOCOL.md, Partial snapshots). */
export interface SnapshotReq {
  /** Milliseconds. */
  readonly timestamp: number;
  /** Inclusive. */
  readonly accountStart?: string;
  /** Inclusive. */
  readonly accountEnd?: string;
  /** Global accounts alone (true), none of them (false), or both. */
  readonly isGlobal?: boolean;
}
