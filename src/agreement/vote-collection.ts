/**
 * The votes of one cycle: takes messages from anybody, admits those that count, tallies them, and keeps them as
 * evidence (PROTOCOL.md, Partition gossip).
 */

import { gossipVotesBytesMax } from "../limits/limits.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { type Admission, type Rejection, type Vote, VoteAdmission } from "./admission.ts";
import { KeptVotes } from "./kept-votes.ts";
import type { CycleShard } from "./upstream/collector.ts";
import { makeValidatorSet, type ValidatorSet } from "./validator-set.ts";
import { VoteTally } from "./vote-tally.ts";

export class VoteCollection {
  readonly shard: CycleShard;
  readonly tally: VoteTally;
  readonly validators: ValidatorSet;
  readonly #admission: VoteAdmission;
  readonly #votes: KeptVotes;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #oversized = new Set<string>();

  constructor(shard: CycleShard, nodes: readonly ActiveNode[], hashKey: string) {
    this.shard = shard;
    this.tally = new VoteTally(shard);
    this.#votes = new KeptVotes(shard);
    this.#indexOf = new Map(nodes.map(({ id }, index) => [id, index]));
    const validators = makeValidatorSet(nodes, shard);
    this.validators = validators;
    const validatorsOf = (cycle: number) => (cycle === shard.cycleNumber ? validators : undefined);
    this.#admission = new VoteAdmission({ validatorsOf, latest: validators }, hashKey);
  }

  /** @param text a message as received */
  admit(text: string): Admission {
    const admission = this.#admission.admit(text);
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

  /** How many votes count. */
  get size(): number {
    return this.#votes.size;
  }

  hasVoteOf(sender: string): boolean {
    return this.#votes.has(sender);
  }

  /** The message of a sender that counts, as it is kept. */
  textOf(sender: string): string | undefined {
    return this.#votes.textOf(sender);
  }

  /** What a sender's vote says of the partitions that it stores. */
  hashesOf(sender: string): ReadonlyMap<number, string> {
    return this.#votes.hashesOf(sender);
  }

  /** Those whose votes count. */
  senders(): IterableIterator<string> {
    return this.#votes.senders();
  }

  /**
   * The validators whose own signatures contradict the sharding settings: their messages list more or fewer
   * partitions than each of them stores under these, or are longer than so many partitions need.
   */
  contradictingGeometry(): string[] {
    return [...new Set([...this.#votes.ofOtherGeometry(), ...this.#oversized])].sort();
  }

  /** All messages worth keeping, ascending by sender: those that count, and what contradicts them. */
  texts(): Generator<{ readonly sender: string; readonly text: Buffer }, void, void> {
    return this.#votes.texts();
  }

  /** {@link texts}, one a line. */
  *evidence(): Generator<Buffer, void, void> {
    const newline = Buffer.from("\n");
    for (const { text } of this.#votes.texts()) yield Buffer.concat([text, newline]);
  }

  #count(vote: Vote): Rejection | undefined {
    const index = this.#indexOf.get(vote.sender);
    if (index === undefined) throw new Error(`${vote.sender} is admitted and is no node`);
    if (!this.#votes.add(vote, index)) {
      this.#admission.forget(vote);
      const problem = `the votes of this cycle have more than ${gossipVotesBytesMax} bytes`;
      return { kind: "rejected", reason: "limit", problem, sender: vote.sender };
    }
    this.tally.count(index, vote.hashes);
    return undefined;
  }
}
