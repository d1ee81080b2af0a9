/** The network's settings as a node states them (PROTOCOL.md, Partitions). */

import { parseAs } from "./parse.ts";
import * as z from "./schema.ts";

const group = z.int("expected a number of nodes").min(1, "expected at least 1 node");
const edge = z.int("expected a number of nodes").min(0, "expected a number of nodes");
const netconfig = z.looseObject({
  config: z.looseObject({
    sharding: z.looseObject({ nodesPerConsensusGroup: group, nodesPerEdge: edge.nullish() }),
    // Of a shape that cannot be read, they say nothing.
    debug: z.looseObject({ disableSnapshots: z.boolean().optional() }).optional().catch(undefined),
    stateManager: z
      .looseObject({ useAccountCopiesTable: z.boolean().optional() })
      .optional()
      .catch(undefined),
  }),
});

export interface ShardingConfig {
  readonly nodesPerConsensusGroup: number;
  /** Where it is not given, it is the consensus radius. */
  readonly nodesPerEdge: number | undefined;
}

export interface NetworkConfig extends ShardingConfig {
  /** The settings that keep the validators from making snapshots, each as it is and as it would have to be. */
  readonly againstSnapshots: readonly string[];
}

/** @throws WireError */
export function parseNetconfig(received: unknown, source: string): NetworkConfig {
  const { sharding, debug, stateManager } = parseAs(netconfig, received, source).config;
  const { nodesPerConsensusGroup, nodesPerEdge } = sharding;
  const againstSnapshots: string[] = [];
  if (debug?.disableSnapshots === true)
    againstSnapshots.push("debug.disableSnapshots is true, and must be false");
  // By default the published core keeps no copies.
  if (stateManager !== undefined && stateManager.useAccountCopiesTable !== true) {
    againstSnapshots.push("stateManager.useAccountCopiesTable is not true, and must be");
  }
  return { nodesPerConsensusGroup, nodesPerEdge: nodesPerEdge ?? undefined, againstSnapshots };
}
