/**
 * Counts votes on the hashes of a snapshot by the ring distance between voter and partition, so that results are
 * available for any group size. It keeps two bytes per vote.
 */

import { GLOBAL_PARTITION } from "../../protocol/shard.ts";

export interface VotesOf {
  readonly votesFor: number;
  readonly votesAgainst: number;
  /** The number of nodes that cover the partition. */
  readonly outOf: number;
}

export class VoteCount {
  readonly #numNodes: number;
  /** By partition, the global one last: twice the voter's distance, plus one for a vote for the hash. */
  readonly #votes: Uint16Array[];
  readonly #lengths: Uint32Array;
  readonly #hashOf: (partition: number) => string | undefined;

  /** @param hashOf returns the hash of a partition in the snapshot */
  constructor(numNodes: number, hashOf: (partition: number) => string | undefined) {
    this.#numNodes = numNodes;
    this.#hashOf = hashOf;
    this.#votes = Array.from({ length: numNodes + 1 }, () => new Uint16Array(8));
    this.#lengths = new Uint32Array(numNodes + 1);
  }

  /** Counts a node's vote. Invalid partition numbers are ignored. */
  add(node: number, partition: number, hash: string): void {
    if (partition < GLOBAL_PARTITION || partition >= this.#numNodes) return;
    const distance = partition === GLOBAL_PARTITION ? 0 : this.distance(node, partition);
    this.#push(this.#placeOf(partition), 2 * distance + (hash === this.#hashOf(partition) ? 1 : 0));
  }

  /** The votes of the nodes within a consensus radius of a partition; for the global partition, of all nodes. */
  of(partition: number, radius: number): VotesOf {
    const place = this.#placeOf(partition);
    const votes = this.#votes[place]?.subarray(0, this.#lengths[place]) ?? [];
    let votesFor = 0;
    let total = 0;
    for (const vote of votes) {
      if (vote >> 1 > radius && partition !== GLOBAL_PARTITION) continue;
      total++;
      votesFor += vote & 1;
    }
    return { votesFor, votesAgainst: total - votesFor, outOf: this.#voters(partition, radius) };
  }

  /** The smallest radius up to `radiusMax` at which the hash of a partition has no majority; `undefined` if none. */
  firstWithoutMajority(partition: number, radiusMax: number): number | undefined {
    if (partition === GLOBAL_PARTITION) return this.#hasMajority(this.of(partition, 0)) ? undefined : 0;
    const place = this.#placeOf(partition);
    const supporting = (this.#votes[place]?.subarray(0, this.#lengths[place]) ?? new Uint16Array())
      .filter((vote) => (vote & 1) === 1)
      .sort();
    let votesFor = 0;
    // At the latest, the loop ends when there are twice as many nodes as votes.
    for (let radius = 0; radius <= radiusMax; radius++) {
      while (votesFor < supporting.length && (supporting[votesFor] ?? 0) >> 1 <= radius) votesFor++;
      if (votesFor * 2 <= this.#voters(partition, radius)) return radius;
    }
    return undefined;
  }

  distance(node: number, partition: number): number {
    const distance = Math.abs(node - partition);
    return Math.min(distance, this.#numNodes - distance);
  }

  #hasMajority({ votesFor, outOf }: VotesOf): boolean {
    return votesFor * 2 > outOf;
  }

  #voters(partition: number, radius: number): number {
    return partition === GLOBAL_PARTITION ? this.#numNodes : Math.min(this.#numNodes, 2 * radius + 1);
  }

  #placeOf(partition: number): number {
    return partition === GLOBAL_PARTITION ? this.#numNodes : partition;
  }

  #push(place: number, vote: number): void {
    let votes = this.#votes[place];
    const length = this.#lengths[place] ?? 0;
    if (votes === undefined) return;
    if (length === votes.length) {
      const larger = new Uint16Array(2 * length);
      larger.set(votes);
      votes = larger;
      this.#votes[place] = votes;
    }
    votes[length] = vote;
    this.#lengths[place] = length + 1;
  }
}
