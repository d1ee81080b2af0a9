/**
 * Keeps the votes of one cycle in little memory: their texts as bytes, which are evidence, and the hashes of the
 * partitions that each sender stores, as numbers. Nearly all senders name the same hashes.
 */

import { gossipContradictionsBytesMax, gossipVotesBytesMax } from "../limits/gossip.ts";
import type { HashHex, NodeId, NodeIndex, Partition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION, type Shard, storedCount, storedPartitions } from "../protocol/shard.ts";
import type { Vote } from "./admission/admission.ts";

interface KeptVote {
  readonly index: NodeIndex;
  readonly text: Buffer;
  /** The number of the hash of each partition that the sender stores, then of −1. */
  readonly hashes: Int32Array;
  readonly isOfItsGeometry: boolean;
}

/** Stands for a partition that a vote does not name. */
const NO_HASH = -1;

export class KeptVotes {
  readonly #shard: Shard;
  readonly #votes = new Map<NodeId, KeptVote>();
  /** Second, different votes. They are evidence, and do not count. */
  readonly #contradictions = new Map<NodeId, Buffer>();
  readonly #hashes: HashHex[] = [];
  readonly #numberOf = new Map<HashHex, number>();
  #bytes = 0;
  #contradictionBytes = 0;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  get size(): number {
    return this.#votes.size;
  }

  has(sender: NodeId): boolean {
    return this.#votes.has(sender);
  }

  /** Keeps a vote, and returns whether there was room for it. */
  add({ sender, text, hashes }: Vote, index: NodeIndex): boolean {
    const bytes = Buffer.from(text);
    if (this.#bytes + bytes.length > gossipVotesBytesMax) return false;
    this.#bytes += bytes.length;
    const stored = this.#partitionsOf(index);
    const numbers = Int32Array.from(stored, (partition) => this.#numberOfHash(hashes.get(partition)));
    const named = hashes.size - (hashes.has(GLOBAL_PARTITION) ? 1 : 0);
    const isOfItsGeometry =
      named === storedCount(this.#shard) && stored.every((of) => of === GLOBAL_PARTITION || hashes.has(of));
    this.#votes.set(sender, { index, text: bytes, hashes: numbers, isOfItsGeometry });
    return true;
  }

  /** Keeps a vote that contradicts the one that counts, if there is room for it. */
  addContradiction({ sender, text }: Vote): void {
    const bytes = Buffer.from(text);
    if (this.#contradictionBytes + bytes.length > gossipContradictionsBytesMax) return;
    this.#contradictionBytes += bytes.length;
    this.#contradictions.set(sender, bytes);
  }

  /** Returns the text of a sender's vote that counts. */
  textOf(sender: NodeId): string | undefined {
    return this.#votes.get(sender)?.text.toString("utf8");
  }

  /** Returns the hashes of the partitions that the sender stores and has named. */
  hashesOf(sender: NodeId): Map<Partition, HashHex> {
    const hashes = new Map<Partition, HashHex>();
    const vote = this.#votes.get(sender);
    if (vote === undefined) return hashes;
    for (const [place, partition] of this.#partitionsOf(vote.index).entries()) {
      const hash = this.#hashes[vote.hashes[place] ?? NO_HASH];
      if (hash !== undefined) hashes.set(partition, hash);
    }
    return hashes;
  }

  senders(): IterableIterator<NodeId> {
    return this.#votes.keys();
  }

  /** Yields the senders whose votes name other partitions than those that they store. */
  *ofOtherGeometry(): Generator<NodeId, void, void> {
    for (const [sender, { isOfItsGeometry }] of this.#votes) if (!isOfItsGeometry) yield sender;
  }

  /** Yields, in ascending order of sender, the vote that counts and then the one that contradicts it. */
  *texts(): Generator<{ readonly sender: NodeId; readonly text: Buffer }, void, void> {
    for (const sender of [...this.#votes.keys()].sort()) {
      for (const text of [this.#votes.get(sender)?.text, this.#contradictions.get(sender)]) {
        if (text !== undefined) yield { sender, text };
      }
    }
  }

  #partitionsOf(index: NodeIndex): Partition[] {
    return [...storedPartitions(this.#shard, index), GLOBAL_PARTITION];
  }

  #numberOfHash(hash: HashHex | undefined): number {
    if (hash === undefined) return NO_HASH;
    const known = this.#numberOf.get(hash);
    if (known !== undefined) return known;
    this.#numberOf.set(hash, this.#hashes.length);
    return this.#hashes.push(hash) - 1;
  }
}
