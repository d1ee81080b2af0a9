/**
 * The tally that the network itself makes (PROTOCOL.md, Partition gossip), and so the network hash that it
 * writes into its cycle records: not only as designed, but as its code counts.
 *
 * That code deletes the hashes of partitions that the sender does not cover from the message while it
 * steps through them by position, so that after each deleted hash the next one is passed over: it is not
 * looked at, and counts as a vote whether or not the sender covers the partition. What we trust is counted
 * in the Collector, of covering nodes alone; this tally only answers what the network will have answered.
 */

import { covers, GLOBAL_PARTITION, type Shard } from "../../protocol/shard.ts";
import type { GossipMessage } from "../../wire/gossip-message.ts";
import { addVote, isPartition, mostPopular, type Tally } from "./tally.ts";

export class UpstreamTally {
  readonly #shard: Shard;
  readonly #votes: Tally = new Map();
  /** Partition → covering nodes that were heard. */
  readonly #heard = new Map<number, number>();
  readonly #ready = new Set<number>();

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Whether half of the covering nodes were heard on each partition, and −1 has a vote. */
  get isComplete(): boolean {
    return this.#ready.size === this.#shard.numNodes && this.#votes.has(GLOBAL_PARTITION);
  }

  /** Counts a message of the node with the given index. */
  count(message: GossipMessage, nodeIndex: number): void {
    const partitions = [...message.hashes.keys()]
      .filter((partition) => isPartition(this.#shard, partition))
      .sort(inObjectOrder);
    for (let position = 0; position < partitions.length; position++) {
      const partition = partitions[position];
      if (partition === undefined || partition === GLOBAL_PARTITION) continue;
      if (covers(this.#shard, nodeIndex, partition)) this.#hear(partition);
      else partitions.splice(position, 1);
    }
    for (const partition of partitions) addVote(this.#votes, partition, message.hashes.get(partition) ?? "");
  }

  /** The most popular hash of each partition. */
  winners(): Map<number, string> {
    return new Map([...this.#votes].map(([partition, votes]) => [partition, mostPopular(votes).hash]));
  }

  #hear(partition: number): void {
    const heard = (this.#heard.get(partition) ?? 0) + 1;
    this.#heard.set(partition, heard);
    const outOf = Math.min(this.#shard.numNodes, 2 * this.#shard.consensusRadius + 1);
    if (heard >= Math.ceil(outOf / 2)) this.#ready.add(partition);
  }
}

/** The order in which an object has such keys: whole numbers ascending, then `"-1"`. */
function inObjectOrder(a: number, b: number): number {
  if (a === GLOBAL_PARTITION) return 1;
  if (b === GLOBAL_PARTITION) return -1;
  return a - b;
}
