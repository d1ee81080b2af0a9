/** One validator of a cluster before it starts: what its faults may change about it. */

import { Random } from "../state/random.ts";
import { type FaultHooks, honestHooks } from "../validator/fault-hooks.ts";
import type { Identity } from "../validator/identity.ts";
import type { ClusterNetwork } from "./network.ts";

export interface NodeSetup {
  readonly index: number;
  readonly identity: Identity;
  readonly network: ClusterNetwork;
  /** The partitions from 0 to N − 1 that it stores, ascending. */
  readonly stored: readonly number[];
  readonly random: Random;
  readonly conduct: FaultHooks;
  isListening: boolean;
  /** Stored partitions of which it believes, gossips and serves a lie. */
  readonly lies: Set<number>;
}

export function honestSetup(network: ClusterNetwork, index: number, stored: readonly number[]): NodeSetup {
  const identity = network.identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  return {
    index,
    identity,
    network,
    stored,
    random: Random.named(network.seed, "faults", index),
    conduct: honestHooks(),
    isListening: true,
    lies: new Set(),
  };
}
