/** One validator of a cluster before it starts, with the properties that faults change. */

import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import { Random } from "../state/random.ts";
import { type FaultHooks, honestHooks } from "../validator/fault-hooks.ts";
import type { Identity } from "../validator/identity.ts";
import type { ClusterNetwork } from "./cluster-network.ts";

export interface ValidatorSetup {
  readonly index: NodeIndex;
  readonly identity: Identity;
  readonly network: ClusterNetwork;
  /** The partitions from 0 to N − 1 that it stores, ascending. */
  readonly stored: readonly Partition[];
  readonly random: Random;
  readonly hooks: FaultHooks;
  isListening: boolean;
  /** Stored partitions of which it holds, votes for and serves a false state. */
  readonly lies: Set<Partition>;
}

export function honestSetup(
  network: ClusterNetwork,
  index: NodeIndex,
  stored: readonly Partition[],
): ValidatorSetup {
  const identity = network.identities[index];
  if (identity === undefined) throw new RangeError(`unknown node ${index}`);
  return {
    index,
    identity,
    network,
    stored,
    random: Random.named(network.seed, "faults", index),
    hooks: honestHooks(),
    isListening: true,
    lies: new Set(),
  };
}
