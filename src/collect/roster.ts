/** Who may speak in a cycle, and where each of them is on the ring. */

import type { ActiveNode } from "../model/node.ts";
import { makeShard, type Shard } from "../model/shard.ts";

export interface Roster {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  readonly keyOf: ReadonlyMap<string, string>;
  readonly indexOf: ReadonlyMap<string, number>;
}

export function makeRoster(nodes: readonly ActiveNode[], shard: Shard): Roster {
  return {
    nodes,
    shard,
    keyOf: new Map(nodes.map(({ id, publicKey }) => [id, publicKey])),
    indexOf: new Map(nodes.map(({ id }, index) => [id, index])),
  };
}

export function isSameRoster(roster: Roster, nodes: readonly ActiveNode[]): boolean {
  return (
    roster.nodes.length === nodes.length &&
    nodes.every(({ id, publicKey, url }, index) => {
      const other = roster.nodes[index];
      return other?.id === id && other.publicKey === publicKey && other.url === url;
    })
  );
}

/** The geometry of the same network with another number of nodes: its radii are settings, and stay. */
export function resized({ consensusRadius, storeRadius }: Shard, numNodes: number): Shard {
  const nodesPerConsensusGroup = 2 * consensusRadius + 1;
  return makeShard({ numNodes, nodesPerConsensusGroup, nodesPerEdge: storeRadius - consensusRadius });
}
