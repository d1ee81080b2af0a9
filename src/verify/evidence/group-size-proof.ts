/**
 * Proves that the hashes of a snapshot have a majority at every group size, so that the size need not be known. It keeps
 * two bytes for each vote on a hash of the snapshot: the ring distance between the voter and the partition.
 */

import { isMajority } from "../../agreement/vote-tally.ts";
import type { HashHex, NodeIndex, Partition } from "../../protocol/brands.ts";
import { coveringCount, GLOBAL_PARTITION, hasPartition, ringDistance } from "../../protocol/shard.ts";

export class GroupSizeProof {
  readonly #numNodes: number;
  /** By partition, the global one last: the distances of those who voted for its hash. */
  readonly #supporters: Uint16Array[];
  readonly #lengths: Uint32Array;
  readonly #hashOf: (partition: Partition) => HashHex | undefined;

  /** @param hashOf returns the hash of a partition in the snapshot */
  constructor(numNodes: number, hashOf: (partition: Partition) => HashHex | undefined) {
    this.#numNodes = numNodes;
    this.#hashOf = hashOf;
    this.#supporters = Array.from({ length: numNodes + 1 }, () => new Uint16Array(8));
    this.#lengths = new Uint32Array(numNodes + 1);
  }

  /** Adds the votes of one node. Partitions that the network does not have are ignored. */
  add(nodeIndex: NodeIndex, hashes: ReadonlyMap<Partition, HashHex>): void {
    for (const [partition, hash] of hashes) {
      if (!hasPartition({ numNodes: this.#numNodes }, partition)) continue;
      if (hash === this.#hashOf(partition)) this.#push(partition, this.#distance(nodeIndex, partition));
    }
  }

  /**
   * Returns the smallest radius up to `radiusMax` at which the hash of a partition has no majority; `undefined` if
   * none.
   */
  firstWithoutMajority(partition: Partition, radiusMax: number): number | undefined {
    const place = this.#placeOf(partition);
    const supporters = (
      this.#supporters[place]?.subarray(0, this.#lengths[place]) ?? new Uint16Array()
    ).toSorted();
    let votesFor = 0;
    // At the latest, the loop ends when there are twice as many nodes as votes.
    for (let radius = 0; radius <= radiusMax; radius++) {
      while (votesFor < supporters.length && (supporters[votesFor] ?? 0) <= radius) votesFor++;
      const outOf = coveringCount({ numNodes: this.#numNodes, consensusRadius: radius }, partition);
      if (!isMajority({ votesFor, outOf })) return radius;
    }
    return undefined;
  }

  /** Returns the ring distance; 0 for the global partition, which all nodes cover at any radius. */
  #distance(nodeIndex: NodeIndex, partition: Partition): number {
    return partition === GLOBAL_PARTITION
      ? 0
      : ringDistance({ numNodes: this.#numNodes }, nodeIndex, partition);
  }

  #placeOf(partition: Partition): number {
    return partition === GLOBAL_PARTITION ? this.#numNodes : partition;
  }

  #push(partition: Partition, distance: number): void {
    const place = this.#placeOf(partition);
    let supporters = this.#supporters[place];
    const length = this.#lengths[place] ?? 0;
    if (supporters === undefined) return;
    if (length === supporters.length) {
      const larger = new Uint16Array(2 * length);
      larger.set(supporters);
      supporters = larger;
      this.#supporters[place] = supporters;
    }
    supporters[length] = distance;
    this.#lengths[place] = length + 1;
  }
}
