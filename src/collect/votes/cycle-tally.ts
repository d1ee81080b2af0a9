/**
 * Counts the votes of one cycle as they arrive, one for each sender, and keeps the majorities. It keeps no message:
 * those are in the database, and a collector has dozens of cycles open.
 */

import { isAgreed, VoteTally } from "../../agreement/vote-tally.ts";
import type { HashHex, NodeId, Partition } from "../../protocol/brands.ts";
import { networkHash } from "../../protocol/partition-hash.ts";
import { allPartitions } from "../../protocol/shard.ts";
import type { CycleValidators } from "../network/cycle-validators.ts";

export type Hashes = ReadonlyMap<Partition, HashHex>;

export class CycleTally {
  readonly validators: CycleValidators;
  readonly #votes: VoteTally;
  readonly #counted = new Set<NodeId>();
  /** Open partitions whose count changed since the last {@link takeAgreed}. */
  readonly #changed = new Set<Partition>();
  readonly #open: Set<Partition>;
  readonly #agreed = new Map<Partition, HashHex>();

  constructor(validators: CycleValidators) {
    this.validators = validators;
    this.#votes = new VoteTally(validators.shard);
    this.#open = new Set(allPartitions(validators.shard));
  }

  /** The hash of each partition with a majority. */
  get agreed(): Hashes {
    return this.#agreed;
  }

  get isComplete(): boolean {
    return this.#open.size === 0;
  }

  /** The number of senders whose vote is counted. */
  get senders(): number {
    return this.#counted.size;
  }

  count(sender: NodeId, hashes: Hashes): void {
    const index = this.validators.indexOf.get(sender);
    if (index === undefined || this.#counted.has(sender)) return;
    this.#counted.add(sender);
    for (const partition of this.#votes.count(index, hashes)) this.#changed.add(partition);
  }

  /** Returns the majorities since the last call. A majority never changes, so that its partition is closed. */
  takeAgreed(): Map<Partition, HashHex> {
    const agreed = new Map<Partition, HashHex>();
    for (const partition of this.#changed) {
      const agreement = this.#votes.agreement(partition);
      if (agreement === undefined || !isAgreed(agreement, "majority")) continue;
      agreed.set(partition, agreement.hash);
      this.#agreed.set(partition, agreement.hash);
      this.#open.delete(partition);
      this.#votes.close(partition);
    }
    this.#changed.clear();
    return agreed;
  }

  /** Returns the network hash, once every partition has a majority. */
  networkHash(hashKey: string): HashHex | undefined {
    return this.isComplete ? networkHash(this.#agreed, hashKey) : undefined;
  }
}
