/** Counts votes on the partitions' hashes, of nodes that cover the partition (PROTOCOL.md, Partition gossip). */

import { covers, GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import { addVote, isPartition, mostPopular, type Tally } from "./upstream/tally.ts";

/** How a partition's hash was agreed on. */
export interface Agreement {
  /** The most popular hash; of equally popular ones the smallest as text. */
  readonly hash: string;
  /** Votes of nodes that cover the partition, as are the next. */
  readonly votesFor: number;
  readonly votesAgainst: number;
  /** How many nodes could have voted: those that cover the partition. */
  readonly outOf: number;
}

/** Ours is that more than half of those who could vote agree; the upstream's that half have voted. */
export type Quorum = "majority" | "popular";

export function isAgreed(agreement: Agreement, quorum: Quorum): boolean {
  return quorum === "majority"
    ? agreement.votesFor * 2 > agreement.outOf
    : agreement.votesFor + agreement.votesAgainst >= Math.ceil(agreement.outOf / 2);
}

export class VoteTally {
  readonly #shard: Shard;
  readonly #votes: Tally = new Map();

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Counts what one node says of the partitions that it covers. */
  count(nodeIndex: number, hashes: ReadonlyMap<number, string>): void {
    for (const [partition, hash] of hashes) {
      if (isPartition(this.#shard, partition) && covers(this.#shard, nodeIndex, partition)) {
        addVote(this.#votes, partition, hash);
      }
    }
  }

  /** How a partition stands; `undefined` before the first vote of a node that covers it. */
  agreement(partition: number): Agreement | undefined {
    const votes = this.#votes.get(partition);
    if (votes === undefined) return undefined;
    const { hash } = mostPopular(votes);
    const { votesFor, total, outOf } = this.votesFor(partition, hash);
    return { hash, votesFor, votesAgainst: total - votesFor, outOf };
  }

  /** How many of those who cover a partition voted for one hash, and in all. */
  votesFor(partition: number, hash: string): { votesFor: number; total: number; outOf: number } {
    const votes = this.#votes.get(partition) ?? new Map<string, number>();
    let total = 0;
    for (const count of votes.values()) total += count;
    return { votesFor: votes.get(hash) ?? 0, total, outOf: this.#voters(partition) };
  }

  /** Whether no vote that is still missing can change which hash of a partition is the most popular one. */
  isDecided(partition: number): boolean {
    const votes = this.#votes.get(partition);
    if (votes === undefined) return false;
    const winner = mostPopular(votes);
    let total = 0;
    let next = 0;
    for (const [hash, count] of votes) {
      total += count;
      if (hash !== winner.hash) next = Math.max(next, count);
    }
    const missing = this.#voters(partition) - total;
    return missing === 0 || winner.votesFor > next + missing;
  }

  #voters(partition: number): number {
    const { numNodes, consensusRadius } = this.#shard;
    return partition === GLOBAL_PARTITION ? numNodes : Math.min(numNodes, 2 * consensusRadius + 1);
  }
}
