/** What a live cluster is: its size, its pace, and who in it misbehaves. */

/** Plain values, which a process can be started with. */
export interface LiveSettings {
  readonly seed: string;
  readonly nodes: number;
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
  /** Seconds. */
  readonly cycleDuration: number;
  /** Every so many cycles one is marked. */
  readonly snapshotEvery: number;
  /** At the beginning. */
  readonly accounts: number;
  readonly globalAccounts: number;
  /** Transactions a second. */
  readonly txRate: number;
  /** `<node>:<fault>` or `<node>:<fault>=<value>`; `*` stands for all nodes. */
  readonly faults: readonly string[];
}

/**
 * With nine nodes, each votes on seven partitions and stores no others: two may lie and one be away, and four of
 * the seven votes on any partition are still the same.
 */
export const liveDefaults: LiveSettings = {
  seed: "live",
  nodes: 9,
  nodesPerConsensusGroup: 7,
  nodesPerEdge: 0,
  cycleDuration: 2,
  snapshotEvery: 5,
  accounts: 2000,
  globalAccounts: 4,
  txRate: 200,
  faults: [],
};
