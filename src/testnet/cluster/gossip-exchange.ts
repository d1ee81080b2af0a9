/** Who has received which gossip message of the snapshot's cycle, once all of it has gone round. */

import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import { Random } from "../state/random.ts";
import { deviated } from "../validator/fault-hooks.ts";
import { makeVote } from "../validator/gossip/vote.ts";
import type { Network } from "./network.ts";
import type { NodeSetup } from "./node-setup.ts";

/** Messages as JSON, in no order. They differ where a sender told different peers different things. */
export interface ReceivedGossip {
  readonly byEvenNodes: readonly string[];
  readonly byOddNodes: readonly string[];
}

/** @param hashes of −1 and every partition, as an honest node would gossip them */
export function exchangeGossip(
  network: Network,
  setups: readonly NodeSetup[],
  hashes: ReadonlyMap<number, string>,
): ReceivedGossip {
  const toEven: string[] = [];
  const toOdd: string[] = [];
  const lies = new LiedHashes(network);
  for (const setup of setups) {
    const believed = new Map<number, string>();
    for (const partition of [...setup.stored, GLOBAL_PARTITION]) {
      const hash = setup.lies.has(partition) ? lies.of(partition) : hashes.get(partition);
      if (hash === undefined) throw new RangeError(`partition ${partition} has not been hashed`);
      believed.set(partition, hash);
    }
    const { identity, conduct } = setup;
    const messages = conduct.votes.map((vote) =>
      JSON.stringify(
        deviated(conduct.messages, makeVote(identity, network.snapshotCycle, vote(believed), conduct)),
      ),
    );
    toEven.push(...messages.slice(0, 1));
    toOdd.push(...messages.slice(-1));
  }
  const random = Random.named(network.seed, "gossip");
  return { byEvenNodes: random.shuffled(toEven), byOddNodes: random.shuffled(toOdd) };
}

/** Liars about one partition agree, so its lie is hashed once for all of them. */
class LiedHashes {
  readonly #network: Network;
  readonly #hashes = new Map<number, string>();

  constructor(network: Network) {
    this.#network = network;
  }

  of(partition: number): string {
    const hash = this.#hashes.get(partition) ?? this.#network.state.hashOf(partition, true);
    this.#hashes.set(partition, hash);
    return hash;
  }
}
