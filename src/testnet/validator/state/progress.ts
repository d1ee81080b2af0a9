/** A validator's position in the transaction log. */

export interface Progress {
  /** The newest cycle that is finalized; −1 before the first. */
  readonly cycle: number;
  /** Whether the state is exactly that of the end of the cycle. */
  readonly isBoundary: boolean;
  /** Whether the validator exports the end of the cycle. */
  readonly isMarked: boolean;
  /** In the transaction log, in bytes. */
  readonly position: number;
  /** The start of cycle 0, and the duration of cycles; 0 before the log has started. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** The position before the first entry. */
export const beginning: Progress = {
  cycle: -1,
  isBoundary: false,
  isMarked: false,
  position: 0,
  startMs: 0,
  durationMs: 0,
};
