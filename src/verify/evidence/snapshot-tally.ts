/**
 * Counts votes for and against the hashes of a snapshot with the tally of the agreement. Evidence is hostile input: what
 * the tally keeps is bounded, whatever its messages name.
 */

import { isAgreed, type Quorum, VoteTally } from "../../agreement/vote-tally.ts";
import { popularHashesMax } from "../../limits/snapshot.ts";
import type { HashHex, NodeIndex, Partition } from "../../protocol/brands.ts";
import type { Shard } from "../../protocol/shard.ts";
import type { PartitionVotes } from "../findings/findings.ts";

/** Stands for the hashes that are not told apart. No hash equals it. */
const OTHER_HASH = "other";
/** Stands for the hash of a partition that the snapshot does not state. Nothing equals it. */
const NO_HASH = "none";

type CountedHash = HashHex | typeof OTHER_HASH | typeof NO_HASH;

export interface CountedPartition extends PartitionVotes {
  /** Whether the votes agree on the hash in the snapshot. */
  readonly isAgreed: boolean;
}

export class SnapshotTally {
  readonly #tally: VoteTally<CountedHash>;
  readonly #quorum: Quorum;
  readonly #hashOf: (partition: Partition) => HashHex | undefined;
  /** Different hashes that are told apart. */
  #hashes = 0;

  /** @param hashOf returns the hash of a partition in the snapshot */
  constructor(shard: Shard, quorum: Quorum, hashOf: (partition: Partition) => HashHex | undefined) {
    this.#tally = new VoteTally<CountedHash>(shard);
    this.#quorum = quorum;
    this.#hashOf = hashOf;
  }

  /** Counts the votes of one node. Returns the problem if they exceed the bound on different hashes. */
  count(nodeIndex: NodeIndex, hashes: ReadonlyMap<Partition, HashHex>): string | undefined {
    let isExceeded = false;
    const counted = new Map<Partition, CountedHash>();
    for (const [partition, hash] of this.#tally.countable(nodeIndex, hashes)) {
      const isToldApart = this.#isToldApart(partition, hash);
      isExceeded ||= !isToldApart && this.#quorum === "popular";
      counted.set(partition, isToldApart ? hash : OTHER_HASH);
    }
    this.#tally.count(nodeIndex, counted);
    return isExceeded
      ? `it exceeds the bound of ${popularHashesMax} different hashes, so the most popular one is unknown`
      : undefined;
  }

  of(partition: Partition): CountedPartition {
    const hash = this.#hashOf(partition) ?? NO_HASH;
    const { votesFor, total, outOf } = this.#tally.votesFor(partition, hash);
    const agreement = this.#tally.agreement(partition);
    return {
      partition,
      votesFor,
      votesAgainst: total - votesFor,
      outOf,
      isAgreed: agreement !== undefined && agreement.hash === hash && isAgreed(agreement, this.#quorum),
    };
  }

  /**
   * Returns whether a hash is counted on its own. For a majority, all votes against the hash in the snapshot are alike.
   * The most popular hash can be any of them.
   */
  #isToldApart(partition: Partition, hash: HashHex): boolean {
    if (hash === this.#hashOf(partition) || this.#tally.has(partition, hash)) return true;
    return this.#quorum === "popular" && ++this.#hashes <= popularHashesMax;
  }
}
