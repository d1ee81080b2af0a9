/** What a command comes to: data for stdout, in both of its forms, or why it failed. */

export interface Outcome {
  /** The fields of the last JSON line, beside `type`, `ok` and `exitCode`. */
  readonly summary: Readonly<Record<string, unknown>>;
  /** For people, line by line; made where it is shown. */
  readonly lines?: () => readonly string[];
  readonly error?: unknown;
}

/** The summary of a run of which nothing is known, so that its reader finds every field. */
export const emptyRunSummary = {
  timestamp: null,
  cycle: null,
  networkHash: null,
  digest: null,
  directory: null,
  partitions: { total: 0, verified: 0 },
  accounts: 0,
  bytesReceived: 0,
  stateBytes: 0,
  queries: [],
  offences: [],
  warnings: [],
  damage: [],
  durationMs: 0,
};
