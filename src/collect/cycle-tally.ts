/**
 * Counts the votes of one cycle as they come (PROTOCOL.md, Partition gossip): of nodes that cover a partition
 * alone, one message a sender. Unlike a Collector it keeps no message: those are in the database, and a
 * collector has dozens of cycles open.
 */

import { isAgreed } from "../agreement/upstream/collector.ts";
import { addVote, isPartition, mostPopular, type Tally } from "../agreement/upstream/tally.ts";
import { networkHash } from "../protocol/partition-hash.ts";
import { allPartitions, coveringNodes, covers } from "../protocol/shard.ts";
import type { CycleValidators } from "./validator-sets.ts";

export type Hashes = ReadonlyMap<number, string>;

export class CycleTally {
  readonly roster: CycleValidators;
  readonly #votes: Tally = new Map();
  readonly #counted = new Set<string>();
  /** Partitions that are not agreed on, and had a vote since they were last looked at. */
  readonly #touched = new Set<number>();
  readonly #open: Set<number>;
  readonly #agreed = new Map<number, string>();

  constructor(roster: CycleValidators) {
    this.roster = roster;
    this.#open = new Set(allPartitions(roster.shard));
  }

  /** The hash of each partition that more than half of those who cover it have voted for. */
  get agreed(): Hashes {
    return this.#agreed;
  }

  get isComplete(): boolean {
    return this.#open.size === 0;
  }

  /** Of how many nodes a message was counted. */
  get heard(): number {
    return this.#counted.size;
  }

  count(sender: string, hashes: Hashes): void {
    const { shard, indexOf } = this.roster;
    const index = indexOf.get(sender);
    if (index === undefined || this.#counted.has(sender)) return;
    this.#counted.add(sender);
    for (const [partition, hash] of hashes) {
      if (!isPartition(shard, partition) || !covers(shard, index, partition)) continue;
      if (!this.#open.has(partition)) continue; // a majority cannot change any more
      addVote(this.#votes, partition, hash);
      this.#touched.add(partition);
    }
  }

  /** What has been agreed on since this was last asked. A majority, once reached, does not change. */
  takeAgreed(): Map<number, string> {
    const agreed = new Map<number, string>();
    for (const partition of this.#touched) {
      const { hash, votesFor } = mostPopular(this.#votes.get(partition) ?? new Map());
      const outOf = coveringNodes(this.roster.shard, partition).length;
      if (!isAgreed({ hash, votesFor, votesAgainst: 0, outOf }, "majority")) continue;
      agreed.set(partition, hash);
      this.#agreed.set(partition, hash);
      this.#open.delete(partition);
      this.#votes.delete(partition);
    }
    this.#touched.clear();
    return agreed;
  }

  /** Of all partitions, once they are agreed on. */
  networkHash(hashKey: string): string | undefined {
    return this.isComplete ? networkHash(this.#agreed, hashKey) : undefined;
  }
}

/** The partitions on which a message says something else than what was agreed on. */
export function dissent(hashes: Hashes, agreed: Hashes): number[] {
  return [...hashes]
    .filter(([partition, hash]) => (agreed.get(partition) ?? hash) !== hash)
    .map(([partition]) => partition);
}
