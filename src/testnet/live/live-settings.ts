/** The settings of a live cluster: its size, its pace, its faults and the changes of its nodes. */

import { liveClusterDefaults } from "../../options/cluster-table.ts";
import type { WantedSnapshot } from "../validator/state-sync/snapshot-sync.ts";

/** Plain values, which a process receives as JSON. */
export interface LiveSettings {
  readonly seed: string;
  /** The number of nodes from the beginning. */
  readonly nodes: number;
  readonly sharding: LiveSharding;
  readonly pace: PaceSettings;
  readonly genesis: GenesisSettings;
  /** `<node>:<fault>` or `<node>:<fault>=<value>`; `*` stands for all nodes. */
  readonly faults: readonly string[];
  readonly membership: MembershipSettings;
  /** Of a network that continues another one. */
  readonly restart?: RestartSettings;
}

export interface RestartSettings {
  /** The snapshot that validators without a state start from. */
  readonly wanted: WantedSnapshot;
  /**
   * The marker of the last known record of the network before. The validators of each restart have other IDs and keys:
   * nobody votes twice on a cycle, even if the network before went further than is known.
   */
  readonly previousMarker: string;
}

export interface LiveSharding {
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
}

export interface PaceSettings {
  /** Seconds. */
  readonly cycleDuration: number;
  /** One cycle of this number is marked. */
  readonly snapshotEvery: number;
  /** Transactions a second. */
  readonly txRate: number;
}

/** The numbers of accounts in the genesis state. */
export interface GenesisSettings {
  readonly accounts: number;
  readonly globalAccounts: number;
}

/** The planned changes of the nodes, each as `<validator>@<cycle>`. */
export interface MembershipSettings {
  readonly join: readonly string[];
  readonly leave: readonly string[];
  readonly kill: readonly string[];
  /** The number of cycles between changes that the seed chooses; not together with the others. */
  readonly churnEvery: number | undefined;
}

/** The settings as the command line gives them, without groups. */
export type LiveFlags = Partial<
  Pick<LiveSettings, "seed" | "nodes" | "faults"> &
    LiveSharding &
    PaceSettings &
    GenesisSettings &
    MembershipSettings
>;

/** Returns the settings, with defaults for those that are not given. */
export function liveSettings(given: LiveFlags = {}): LiveSettings {
  const { seed, nodes, faults = [], ...flags } = { ...liveClusterDefaults, ...given };
  const { nodesPerConsensusGroup, nodesPerEdge } = flags;
  const { cycleDuration, snapshotEvery, txRate } = flags;
  const { accounts, globalAccounts } = flags;
  const { join = [], leave = [], kill = [], churnEvery } = flags;
  return {
    seed,
    nodes,
    sharding: { nodesPerConsensusGroup, nodesPerEdge },
    pace: { cycleDuration, snapshotEvery, txRate },
    genesis: { accounts, globalAccounts },
    faults,
    membership: { join, leave, kill, churnEvery },
  };
}
