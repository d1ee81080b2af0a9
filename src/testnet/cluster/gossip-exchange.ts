/** The gossip messages of the snapshot's cycle that each validator of a static cluster has received. */

import type { HashHex, Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import { Random } from "../state/random.ts";
import { deviated } from "../validator/fault-hooks.ts";
import { makeVote } from "../validator/gossip/vote.ts";
import type { Network } from "./network.ts";
import type { ValidatorSetup } from "./validator-setup.ts";

/** Messages as JSON, unordered. The lists differ where a sender equivocates. */
export interface ReceivedGossip {
  readonly byEvenNodes: readonly string[];
  readonly byOddNodes: readonly string[];
}

/** @param hashes of −1 and every partition, as an honest node gossips them */
export function exchangeGossip(
  network: Network,
  setups: readonly ValidatorSetup[],
  hashes: ReadonlyMap<Partition, HashHex>,
): ReceivedGossip {
  const toEven: string[] = [];
  const toOdd: string[] = [];
  const lies = new LiedHashes(network);
  for (const setup of setups) {
    const own = new Map<Partition, HashHex>();
    for (const partition of [...setup.stored, GLOBAL_PARTITION]) {
      const hash = setup.lies.has(partition) ? lies.of(partition) : hashes.get(partition);
      if (hash === undefined) throw new RangeError(`partition ${partition} has not been hashed`);
      own.set(partition, hash);
    }
    const { identity, hooks } = setup;
    const messages = hooks.gossip.votes.map((vote) =>
      JSON.stringify(
        deviated(hooks.gossip.messages, makeVote(identity, network.snapshotCycle, vote(own), hooks.gossip)),
      ),
    );
    toEven.push(...messages.slice(0, 1));
    toOdd.push(...messages.slice(-1));
  }
  const random = Random.named(network.seed, "gossip");
  return { byEvenNodes: random.shuffled(toEven), byOddNodes: random.shuffled(toOdd) };
}

/** Hashes the false state of a partition once: all nodes that lie about a partition agree. */
class LiedHashes {
  readonly #network: Network;
  readonly #hashes = new Map<Partition, HashHex>();

  constructor(network: Network) {
    this.#network = network;
  }

  of(partition: Partition): HashHex {
    const hash = this.#hashes.get(partition) ?? this.#network.state.hashOf(partition, true);
    this.#hashes.set(partition, hash);
    return hash;
  }
}
