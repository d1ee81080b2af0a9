/** One validator of a cluster before it starts, with the properties that faults change. */

import type { Partition } from "../../protocol/brands.ts";
import { Random } from "../state/random.ts";
import { type FaultHooks, honestHooks } from "../validator/fault-hooks.ts";
import type { Identity } from "../validator/identity.ts";
import type { ClusterNetwork } from "./cluster-network.ts";

export interface ValidatorSetup {
  /** The index in ascending order of ID; of a validator that joins later, a higher number. */
  readonly number: number;
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
  number: number,
  stored: readonly Partition[],
  identity: Identity | undefined = network.identities[number],
): ValidatorSetup {
  if (identity === undefined) throw new RangeError(`unknown node ${number}`);
  return {
    number,
    identity,
    network,
    stored,
    random: Random.named(network.seed, "faults", number),
    hooks: honestHooks(),
    isListening: true,
    lies: new Set(),
  };
}
