/**
 * The votes that were seen: for each sender and cycle, the first one, and the one that contradicts it. Its owner may
 * {@link KnownVotes.add} votes that it has from elsewhere, such as a database, and {@link KnownVotes.delete} those that
 * it could not keep.
 */

import type { Cycle, HashHex, NodeId } from "../../protocol/brands.ts";

/** What is remembered of a vote. Its text is kept by the caller of `admit`: in memory or in a database. */
export interface KnownVote {
  readonly cycle: Cycle;
  /** The sender's node ID. */
  readonly sender: NodeId;
  /** The hash that is signed. */
  readonly hash: HashHex;
}

/** Identifies one copy of a vote, so that its signature is checked once. */
export interface SeenCopy {
  /** Of the text as received. */
  readonly textHash: HashHex;
  readonly sig: string;
}

/** Texts that are remembered of one vote. Honest nodes forward it byte for byte, or in one or two other forms. */
const COPIES_MAX = 4;

/** Stands for the cycle of a conviction whose message names no cycle. */
export const NO_CYCLE = "none";
export type NoCycle = typeof NO_CYCLE;

export class KnownVotes {
  /** The network's hash key: what is signed identifies a vote by its hash under this key. */
  readonly hashKey: string | undefined;
  /** Cycle → sender → votes. */
  readonly #votes = new Map<Cycle | NoCycle, Map<NodeId, readonly KnownVote[]>>();
  readonly #byHash = new Map<string, KnownVote>();
  readonly #byText = new Map<string, KnownVote>();
  /** Signed hash → copies of the vote. */
  readonly #copies = new Map<string, readonly SeenCopy[]>();
  /** Cycle → the senders that signed a message that is not a vote. */
  readonly #convicted = new Map<Cycle | NoCycle, Set<NodeId>>();

  constructor(hashKey?: string) {
    this.hashKey = hashKey;
  }

  withHash(hash: HashHex): KnownVote | undefined {
    return this.#byHash.get(hash);
  }

  withText(textHash: HashHex): KnownVote | undefined {
    return this.#byText.get(textHash);
  }

  /**
   * Returns whether a signature of a known vote was checked before. Of a vote from elsewhere, any signature counts as
   * checked.
   */
  isKnownSignature(hash: HashHex, sig: string): boolean {
    const copies = this.#copies.get(hash);
    return copies === undefined || copies.some((copy) => copy.sig === sig);
  }

  /** Remembers another copy of a known vote, whose signature is valid. */
  addCopy({ hash }: KnownVote, copy: SeenCopy): void {
    const vote = this.#byHash.get(hash);
    const copies = this.#copies.get(hash) ?? [];
    if (vote === undefined || copies.length >= COPIES_MAX) return;
    this.#copies.set(hash, [...copies, copy]);
    this.#byText.set(copy.textHash, vote);
  }

  /** Returns the first vote, and the one that contradicts it. */
  of(cycle: Cycle | NoCycle, sender: NodeId): readonly KnownVote[] {
    return this.#votes.get(cycle)?.get(sender) ?? [];
  }

  /** Remembers a vote, unless two votes of its sender are known. */
  add({ cycle, sender, hash }: KnownVote): void {
    const votes = this.of(cycle, sender);
    if (votes.length > 1 || this.#byHash.has(hash)) return;
    const vote = { cycle, sender, hash };
    const senders = this.#votes.get(cycle) ?? new Map<NodeId, readonly KnownVote[]>();
    this.#votes.set(cycle, senders.set(sender, [...votes, vote]));
    this.#byHash.set(hash, vote);
  }

  delete({ cycle, sender, hash }: KnownVote): void {
    const left = this.of(cycle, sender).filter((vote) => vote.hash !== hash);
    this.#forgetHash(hash);
    if (left.length > 0) this.#votes.get(cycle)?.set(sender, left);
    else this.#votes.get(cycle)?.delete(sender);
  }

  /** Returns whether a sender signed a message that is not a vote. */
  isConvicted(cycle: Cycle | NoCycle, sender: NodeId): boolean {
    return this.#convicted.get(cycle)?.has(sender) === true;
  }

  /** Remembers that a sender signed a message that is not a vote. Returns whether that is new. */
  convict(cycle: Cycle | NoCycle, sender: NodeId): boolean {
    const convicted = this.#convicted.get(cycle) ?? new Set();
    if (convicted.has(sender)) return false;
    this.#convicted.set(cycle, convicted.add(sender));
    return true;
  }

  /** Forgets earlier cycles. */
  dropBefore(cycle: Cycle): void {
    for (const known of this.#convicted.keys())
      if (known === NO_CYCLE || known < cycle) this.#convicted.delete(known);
    for (const [known, senders] of this.#votes) {
      if (known !== NO_CYCLE && known >= cycle) continue;
      for (const { hash } of [...senders.values()].flat()) this.#forgetHash(hash);
      this.#votes.delete(known);
    }
  }

  #forgetHash(hash: HashHex): void {
    this.#byHash.delete(hash);
    for (const { textHash } of this.#copies.get(hash) ?? []) this.#byText.delete(textHash);
    this.#copies.delete(hash);
  }
}
