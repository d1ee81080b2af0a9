/**
 * The tally that is trusted: counts votes of nodes that cover a partition alone (PROTOCOL.md, Partition gossip). The
 * tally of the network's own code is kept apart, in `upstream/`.
 */

import type { HashHex, NodeIndex, Partition } from "../protocol/brands.ts";
import { coveringCount, covers, hasPartition, type Shard } from "../protocol/shard.ts";
import { addVote, mostPopular, type Tally } from "./tally.ts";

/** The votes on a partition. */
export interface Agreement<Hash extends string = HashHex> {
  /** The most popular hash; of equally popular ones the smallest as text. */
  readonly hash: Hash;
  /** Votes for it, and against it, of nodes that cover the partition. */
  readonly votesFor: number;
  readonly votesAgainst: number;
  /** How many nodes could have voted: those that cover the partition. */
  readonly outOf: number;
}

/** `majority` is our rule: more than half of those who could vote agree. `popular` is the upstream's: half have voted. */
export type Quorum = "majority" | "popular";

export function isAgreed(agreement: Agreement<string>, quorum: Quorum): boolean {
  return quorum === "majority"
    ? isMajority(agreement)
    : agreement.votesFor + agreement.votesAgainst >= Math.ceil(agreement.outOf / 2);
}

/** Returns whether more than half of those who could vote have voted for a hash. */
export function isMajority({ votesFor, outOf }: Pick<Agreement, "votesFor" | "outOf">): boolean {
  return votesFor * 2 > outOf;
}

/** @typeParam Hash the hashes that are counted, among which a caller can have texts that stand for others */
export class VoteTally<Hash extends string = HashHex> {
  readonly #shard: Shard;
  readonly #votes: Tally<Hash> = new Map();
  /** Partitions whose count has ended. */
  readonly #closed = new Set<Partition>();

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Counts the vote of one node on the partitions that it covers, and returns those whose count changed. */
  count(nodeIndex: NodeIndex, hashes: ReadonlyMap<Partition, Hash>): Partition[] {
    const counted: Partition[] = [];
    for (const [partition, hash] of this.countable(nodeIndex, hashes)) {
      addVote(this.#votes, partition, hash);
      counted.push(partition);
    }
    return counted;
  }

  /**
   * Yields the votes of one node that {@link count} counts: on partitions that the node covers and that are not closed.
   */
  *countable<Voted extends Hash>(
    nodeIndex: NodeIndex,
    hashes: ReadonlyMap<Partition, Voted>,
  ): Generator<readonly [partition: Partition, hash: Voted], void, void> {
    for (const vote of hashes) {
      const [partition] = vote;
      if (!hasPartition(this.#shard, partition) || !covers(this.#shard, nodeIndex, partition)) continue;
      if (!this.#closed.has(partition)) yield vote;
    }
  }

  /** Returns whether a hash of a partition has a vote. */
  has(partition: Partition, hash: Hash): boolean {
    return this.#votes.get(partition)?.has(hash) === true;
  }

  /** Ends the count of a partition, and frees its memory. */
  close(partition: Partition): void {
    this.#closed.add(partition);
    this.#votes.delete(partition);
  }

  /** Returns the votes on a partition; `undefined` before the first vote of a node that covers it. */
  agreement(partition: Partition): Agreement<Hash> | undefined {
    const votes = this.#votes.get(partition);
    if (votes === undefined) return undefined;
    const { hash } = mostPopular(votes);
    const { votesFor, total, outOf } = this.votesFor(partition, hash);
    return { hash, votesFor, votesAgainst: total - votesFor, outOf };
  }

  /** Returns how many nodes that cover a partition voted for one hash, and how many voted at all. */
  votesFor(partition: Partition, hash: Hash): { votesFor: number; total: number; outOf: number } {
    const votes = this.#votes.get(partition) ?? new Map<Hash, number>();
    let total = 0;
    for (const count of votes.values()) total += count;
    return { votesFor: votes.get(hash) ?? 0, total, outOf: coveringCount(this.#shard, partition) };
  }

  /** Returns whether no vote that is still missing can change which hash of a partition is the most popular one. */
  isDecided(partition: Partition): boolean {
    const votes = this.#votes.get(partition);
    if (votes === undefined) return false;
    const winner = mostPopular(votes);
    let total = 0;
    let next = 0;
    for (const [hash, count] of votes) {
      total += count;
      if (hash !== winner.hash) next = Math.max(next, count);
    }
    const missing = coveringCount(this.#shard, partition) - total;
    return missing === 0 || winner.votesFor > next + missing;
  }
}
