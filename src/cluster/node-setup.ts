/** One validator of a cluster before it starts: what its faults may change about it. */

import { type Conduct, honestConduct } from "../validator/conduct.ts";
import type { Identity } from "../validator/identity.ts";
import type { GossipMessage } from "../validator/vote.ts";
import type { Network } from "./network.ts";
import { Random } from "./random.ts";

export interface NodeSetup {
  readonly index: number;
  readonly identity: Identity;
  readonly network: Network;
  /** The partitions from 0 to N − 1 that it stores, ascending. */
  readonly stored: readonly number[];
  readonly random: Random;
  readonly conduct: Conduct;
  isListening: boolean;
  /** Stored partitions of which it believes, gossips and serves a lie. */
  readonly lies: Set<number>;
  /** What it votes, from what it has hashed; an entry for each vote, of which an honest node has one. */
  votes: ((hashes: ReadonlyMap<number, string>) => ReadonlyMap<number, string>)[];
  /** What becomes of its signed messages. */
  readonly messages: ((message: GossipMessage) => GossipMessage)[];
  isFirstDesign: boolean;
}

export function honestSetup(network: Network, index: number, stored: readonly number[]): NodeSetup {
  const identity = network.identities[index];
  if (identity === undefined) throw new RangeError(`there is no node ${index}`);
  return {
    index,
    identity,
    network,
    stored,
    random: Random.named(network.seed, "faults", index),
    conduct: honestConduct(),
    isListening: true,
    lies: new Set(),
    votes: [(hashes) => hashes],
    messages: [],
    isFirstDesign: false,
  };
}
