/** The network's sharding settings as the user gives them, without asking anybody. */

import {
  DEFAULT_NODES_PER_CONSENSUS_GROUP,
  DEFAULT_NODES_PER_EDGE,
  makeShard,
  type Shard,
} from "../model/shard.ts";
import type { NetworkOptions } from "./options.ts";

export type GivenSettings = Pick<NetworkOptions, "nodesPerConsensusGroup" | "nodesPerEdge">;

/** The geometry by the given settings alone; what is not given has its usual value, with a warning. */
export function shardOfSettings(
  numNodes: number,
  given: GivenSettings,
  warn: (message: string) => void,
): Shard {
  if (given.nodesPerConsensusGroup === undefined) {
    const nodesPerEdge = given.nodesPerEdge ?? DEFAULT_NODES_PER_EDGE;
    warn(
      `taking the usual ${DEFAULT_NODES_PER_CONSENSUS_GROUP} nodes per consensus group and ${nodesPerEdge} per edge, unless --nodes-per-consensus-group and --nodes-per-edge say otherwise`,
    );
    return shardOf(numNodes, DEFAULT_NODES_PER_CONSENSUS_GROUP, nodesPerEdge);
  }
  return shardOf(numNodes, given.nodesPerConsensusGroup, given.nodesPerEdge);
}

export function shardOf(
  numNodes: number,
  nodesPerConsensusGroup: number,
  nodesPerEdge: number | undefined,
): Shard {
  return makeShard({
    numNodes,
    nodesPerConsensusGroup,
    ...(nodesPerEdge === undefined ? {} : { nodesPerEdge }),
  });
}
