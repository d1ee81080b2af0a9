/**
 * The order in which nodes are queried (PROTOCOL.md, Algorithm 1): the first and the last node, then, level by level,
 * the middle of every gap between nodes already taken; within a level, from the centre of the list outward. Consecutive
 * nodes are far apart on the ring, so their stored partitions overlap as little as possible.
 */

import type { NodeIndex } from "./brands.ts";
import { allNodes } from "./shard.ts";

interface Gap {
  readonly left: number;
  readonly right: number;
}

/** Returns indices into the nodes in ascending order of ID: a permutation of 0 to `numNodes − 1`. */
export function queryOrder(numNodes: number): NodeIndex[] {
  if (numNodes <= 2) return allNodes({ numNodes: Math.max(numNodes, 0) });
  const order = [0, numNodes - 1];
  const centre = (numNodes - 1) / 2;
  let gaps: Gap[] = [{ left: 0, right: numNodes - 1 }];
  while (gaps.length > 0) {
    const level: number[] = [];
    const halves: Gap[] = [];
    for (const { left, right } of gaps) {
      const middle = Math.floor((left + right) / 2);
      level.push(middle);
      if (middle - left > 1) halves.push({ left, right: middle });
      if (right - middle > 1) halves.push({ left: middle, right });
    }
    order.push(...level.sort((a, b) => Math.abs(a - centre) - Math.abs(b - centre) || a - b));
    gaps = halves;
  }
  return order as NodeIndex[];
}
