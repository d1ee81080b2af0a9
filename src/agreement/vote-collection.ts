/** The votes of one cycle: admits messages from any source, tallies them, and keeps them as evidence. */

import { gossipVotesBytesMax } from "../limits/gossip.ts";
import type { Cycle, HashHex, NodeId, NodeIndex, Partition } from "../protocol/brands.ts";
import { type ActiveNode, indexesOf } from "../protocol/node.ts";
import type { Shard } from "../protocol/shard.ts";
import { type Admission, type Rejection, rejected, type Vote } from "./admission/admission.ts";
import { admit, type Received, type VoteWindow } from "./admission/admit.ts";
import { KnownVotes } from "./admission/known-votes.ts";
import { makeValidatorSet, type ValidatorSet } from "./admission/validator-set.ts";
import { KeptVotes } from "./kept-votes.ts";
import { VoteTally } from "./vote-tally.ts";

/** The geometry of a cycle. */
export interface CycleGeometry extends Shard {
  readonly cycleNumber: Cycle;
}

export class VoteCollection {
  readonly shard: CycleGeometry;
  readonly tally: VoteTally;
  readonly validators: ValidatorSet;
  readonly #window: VoteWindow;
  readonly #seen: KnownVotes;
  readonly #votes: KeptVotes;
  readonly #indexOf: ReadonlyMap<NodeId, NodeIndex>;
  readonly #oversized = new Set<NodeId>();

  constructor(shard: CycleGeometry, nodes: readonly ActiveNode[], hashKey: string) {
    this.shard = shard;
    this.tally = new VoteTally(shard);
    this.#votes = new KeptVotes(shard);
    this.#indexOf = indexesOf(nodes.map(({ id }) => id));
    this.validators = makeValidatorSet(nodes, shard);
    this.#window = { oldest: shard.cycleNumber, newest: shard.cycleNumber };
    this.#seen = new KnownVotes(hashKey);
  }

  admit(received: Received): Admission {
    const admission = admit(received, this.#window, () => this.validators, this.#seen);
    switch (admission.kind) {
      case "new":
        return this.#count(admission.vote) ?? admission;
      case "equivocation":
        this.#votes.addContradiction(admission.vote);
        return admission;
      case "rejected":
        if (admission.reason === "oversized" && admission.sender !== undefined) {
          this.#oversized.add(admission.sender);
        }
        return admission;
      case "duplicate":
        return admission;
    }
  }

  /** The number of votes that count. */
  get size(): number {
    return this.#votes.size;
  }

  hasVoteOf(sender: NodeId): boolean {
    return this.#votes.has(sender);
  }

  /** Returns the text of a sender's vote that counts. */
  textOf(sender: NodeId): string | undefined {
    return this.#votes.textOf(sender);
  }

  /** Returns the hashes in a sender's vote, of the partitions that it stores. */
  hashesOf(sender: NodeId): ReadonlyMap<Partition, HashHex> {
    return this.#votes.hashesOf(sender);
  }

  /** Returns the senders whose votes count. */
  senders(): IterableIterator<NodeId> {
    return this.#votes.senders();
  }

  /**
   * Returns the validators whose own signatures contradict the sharding settings: their messages list more or fewer
   * partitions than they store under these, or are longer than those partitions need.
   */
  contradictingGeometry(): NodeId[] {
    return [...new Set([...this.#votes.ofOtherGeometry(), ...this.#oversized])].sort();
  }

  /**
   * Returns all messages that are kept, ascending by sender: each vote that counts, then the one that contradicts it.
   */
  texts(): Generator<{ readonly sender: NodeId; readonly text: Buffer }, void, void> {
    return this.#votes.texts();
  }

  /** {@link texts}, one a line. */
  *evidence(): Generator<Buffer, void, void> {
    const newline = Buffer.from("\n");
    for (const { text } of this.#votes.texts()) yield Buffer.concat([text, newline]);
  }

  #count(vote: Vote): Rejection | undefined {
    const index = this.#indexOf.get(vote.sender);
    if (index === undefined)
      throw new Error(`bug: a vote of ${vote.sender}, which is not a node, was admitted`);
    if (!this.#votes.add(vote, index)) {
      this.#seen.delete(vote);
      const problem = `the votes of this cycle have more than ${gossipVotesBytesMax} bytes`;
      return rejected("limit", problem, vote.sender);
    }
    this.tally.count(index, vote.hashes);
    return undefined;
  }
}
