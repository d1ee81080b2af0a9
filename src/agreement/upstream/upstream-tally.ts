/**
 * The tally that the network's own code makes (PROTOCOL.md, Partition gossip), and so the network hash in its cycle
 * records. It follows that code, not only the design.
 *
 * That code deletes the hashes of partitions that the sender does not cover from the message while it iterates over
 * them by position. So it skips the hash after each deleted one, which counts as a vote whether or not the sender covers
 * the partition. This tally only predicts the network's result. The one that is trusted is `VoteTally`.
 */

import type { HashHex, NodeIndex, Partition } from "../../protocol/brands.ts";
import { coveringCount, covers, GLOBAL_PARTITION, hasPartition, type Shard } from "../../protocol/shard.ts";
import type { GossipMessage } from "../../wire/gossip-message.ts";
import { addVote, mostPopular, type Tally } from "../tally.ts";

export class UpstreamTally {
  readonly #shard: Shard;
  readonly #votes: Tally = new Map();
  /** Partition → covering nodes that have voted. */
  readonly #voters = new Map<Partition, number>();
  readonly #ready = new Set<Partition>();

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Whether half of the covering nodes have voted on each partition, and −1 has a vote. */
  get isComplete(): boolean {
    return this.#ready.size === this.#shard.numNodes && this.#votes.has(GLOBAL_PARTITION);
  }

  /** Counts a message of the node with the given index. */
  count(message: GossipMessage, nodeIndex: NodeIndex): void {
    const partitions = [...message.hashes.keys()]
      .filter((partition) => hasPartition(this.#shard, partition))
      .sort(inObjectOrder);
    for (let position = 0; position < partitions.length; position++) {
      const partition = partitions[position];
      if (partition === undefined || partition === GLOBAL_PARTITION) continue;
      if (covers(this.#shard, nodeIndex, partition)) this.#countVoter(partition);
      else partitions.splice(position, 1);
    }
    for (const partition of partitions) {
      const hash = message.hashes.get(partition);
      if (hash !== undefined) addVote(this.#votes, partition, hash);
    }
  }

  /** Returns the most popular hash of each partition. */
  winners(): Map<Partition, HashHex> {
    return new Map([...this.#votes].map(([partition, votes]) => [partition, mostPopular(votes).hash]));
  }

  #countVoter(partition: Partition): void {
    const voters = (this.#voters.get(partition) ?? 0) + 1;
    this.#voters.set(partition, voters);
    const outOf = coveringCount(this.#shard, partition);
    if (voters >= Math.ceil(outOf / 2)) this.#ready.add(partition);
  }
}

/** Compares partitions by the order of their keys in an object: whole numbers ascending, then `"-1"`. */
function inObjectOrder(a: Partition, b: Partition): number {
  if (a === GLOBAL_PARTITION) return 1;
  if (b === GLOBAL_PARTITION) return -1;
  return a - b;
}
