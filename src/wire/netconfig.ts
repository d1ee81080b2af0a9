/** The network's settings as a node states them (PROTOCOL.md, Partitions). */

import { z } from "zod";
import { parseAs } from "./parse.ts";

const group = z.int("expected a number of nodes").min(1, "expected at least 1 node");
const edge = z.int("expected a number of nodes").min(0, "expected a number of nodes");
const netconfig = z.looseObject({
  config: z.looseObject({
    sharding: z.looseObject({ nodesPerConsensusGroup: group, nodesPerEdge: edge.nullish() }),
  }),
});

export interface ShardingConfig {
  readonly nodesPerConsensusGroup: number;
  /** Where it is not given, it is the consensus radius. */
  readonly nodesPerEdge: number | undefined;
}

/** @throws WireError */
export function parseNetconfig(received: unknown, source: string): ShardingConfig {
  const { nodesPerConsensusGroup, nodesPerEdge } = parseAs(netconfig, received, source).config.sharding;
  return { nodesPerConsensusGroup, nodesPerEdge: nodesPerEdge ?? undefined };
}
