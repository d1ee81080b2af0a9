/** The settings of a live cluster: its size, its pace and its faults. */

import { liveClusterDefaults } from "../../options/cluster-table.ts";

/** Plain values, which a process receives as JSON. */
export interface LiveSettings {
  readonly seed: string;
  readonly nodes: number;
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
  /** Seconds. */
  readonly cycleDuration: number;
  /** One cycle of this number is marked. */
  readonly snapshotEvery: number;
  /** In the genesis state. */
  readonly accounts: number;
  readonly globalAccounts: number;
  /** Transactions a second. */
  readonly txRate: number;
  /** `<node>:<fault>` or `<node>:<fault>=<value>`; `*` stands for all nodes. */
  readonly faults: readonly string[];
  readonly membership: MembershipSettings;
}

/** The planned changes of the nodes, each as `<validator>@<cycle>`. */
export interface MembershipSettings {
  readonly join: readonly string[];
  readonly leave: readonly string[];
  readonly kill: readonly string[];
  /** The number of cycles between changes that the seed chooses; not together with the others. */
  readonly churnEvery: number | undefined;
}

const unchanged: MembershipSettings = { join: [], leave: [], kill: [], churnEvery: undefined };

export const liveDefaults: LiveSettings = { ...liveClusterDefaults, faults: [], membership: unchanged };
