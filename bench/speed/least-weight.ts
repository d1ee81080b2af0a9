/**
 * The lower bound of a cover: the least total weight of nodes that together store every partition. It is computed by
 * dynamic programming over the ring, independently of the command's own search.
 */

import { asNodeIndex } from "../../dist/protocol/brands.js";
import { type Shard, storedPartitions } from "../../dist/protocol/shard.js";

export function leastWeight(shard: Shard, weights: readonly number[]): number {
  const centres = storedPartitions(shard, asNodeIndex(0));
  if (centres.length === shard.numNodes) return Math.min(...weights);
  // Every cover includes a node that stores partition 0. From the end of its arc the rest is a line.
  return Math.min(...centres.map((centre) => leastLine(shard, weights, centre, centres.length)));
}

function leastLine({ numNodes }: Shard, weights: readonly number[], first: number, stored: number): number {
  const radius = (stored - 1) / 2;
  // Index: the number of covered partitions from the beginning of the first node's arc.
  const least = new Array<number>(numNodes + stored + 1).fill(Number.POSITIVE_INFINITY);
  least[stored] = weights[first] ?? 0;
  for (let covered = stored; covered < numNodes; covered++) {
    const weight = least[covered] ?? Number.POSITIVE_INFINITY;
    for (let more = 1; more <= stored; more++) {
      const node = (first - radius + covered + more - stored + radius + 2 * numNodes) % numNodes;
      const known = least[covered + more] ?? Number.POSITIVE_INFINITY;
      least[covered + more] = Math.min(known, weight + (weights[node] ?? 0));
    }
  }
  return Math.min(...least.slice(numNodes));
}
