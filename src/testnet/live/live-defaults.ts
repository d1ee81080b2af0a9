/** What a live cluster is: its size, its pace, and who in it misbehaves. */

import { liveClusterDefaults } from "../../options/cluster-table.ts";

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

export const liveDefaults: LiveSettings = { ...liveClusterDefaults, faults: [] };
