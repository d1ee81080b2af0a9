/** How far the votes of a collection decide its partitions. Partitions that are done are not checked again. */

import type { Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, ringPartitions } from "../../protocol/shard.ts";
import type { VoteCollection } from "../vote-collection.ts";
import { isAgreed, type Quorum } from "../vote-tally.ts";

export class QuorumProgress {
  readonly #votes: VoteCollection;
  readonly #quorum: Quorum;
  /** Partitions whose agreed hash a missing vote could change. −1 is last, since all nodes vote on it. */
  readonly #undecided: Set<Partition>;
  readonly #withoutQuorum: Set<Partition>;

  constructor(votes: VoteCollection, quorum: Quorum) {
    this.#votes = votes;
    this.#quorum = quorum;
    const partitions = [...ringPartitions(votes.shard), GLOBAL_PARTITION];
    this.#undecided = new Set(partitions);
    this.#withoutQuorum = new Set(partitions);
  }

  /** Returns whether every partition has a quorum. A missing vote may still change its most popular hash. */
  hasQuorum(): boolean {
    return removeDone(this.#withoutQuorum, (partition) => this.#isAgreed(partition));
  }

  /** Returns whether no missing vote can change an agreed hash: neither a majority nor, for `popular`, the winner. */
  isDecided(): boolean {
    const { tally, shard, size } = this.#votes;
    if (size === shard.numNodes) return true;
    return removeDone(
      this.#undecided,
      (partition) => this.#isAgreed(partition) && (this.#quorum === "majority" || tally.isDecided(partition)),
    );
  }

  #isAgreed(partition: Partition): boolean {
    const agreement = this.#votes.tally.agreement(partition);
    return agreement !== undefined && isAgreed(agreement, this.#quorum);
  }
}

/** Removes, in order, what is done, up to the first partition that is not. Returns whether none is left. */
function removeDone(partitions: Set<Partition>, isDone: (partition: Partition) => boolean): boolean {
  for (const partition of partitions) {
    if (!isDone(partition)) return false;
    partitions.delete(partition);
  }
  return true;
}
