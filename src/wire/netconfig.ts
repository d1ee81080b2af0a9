/** Parses the network's settings in a `/netconfig` response (PROTOCOL.md, Partitions). */

import { parseAs } from "./parse.ts";
import * as z from "./schema.ts";

const group = z.int("expected a number of nodes").min(1, "expected at least 1 node");
const edge = z.int("expected a number of nodes").min(0, "expected a number of nodes");
const netconfig = z.looseObject({
  config: z.looseObject({
    sharding: z.looseObject({ nodesPerConsensusGroup: group, nodesPerEdge: edge.nullish() }),
    // A malformed value counts as absent.
    debug: z.looseObject({ disableSnapshots: z.boolean().optional() }).optional().catch(undefined),
    stateManager: z
      .looseObject({ useAccountCopiesTable: z.boolean().optional() })
      .optional()
      .catch(undefined),
  }),
});

export interface ShardingConfig {
  readonly nodesPerConsensusGroup: number;
  /** If `undefined`, it is the consensus radius. */
  readonly nodesPerEdge: number | undefined;
}

export interface NetworkConfig extends ShardingConfig {
  /** Settings that prevent snapshots, each with its actual and its required value. */
  readonly againstSnapshots: readonly string[];
}

/**
 * Parses a `/netconfig` response.
 *
 * @throws WireError
 */
export function parseNetconfig(received: unknown, source: string): NetworkConfig {
  const { sharding, debug, stateManager } = parseAs(netconfig, received, source).config;
  const { nodesPerConsensusGroup, nodesPerEdge } = sharding;
  const againstSnapshots: string[] = [];
  if (debug?.disableSnapshots === true)
    againstSnapshots.push("debug.disableSnapshots is true, and must be false");
  // The published core's default is to keep no copies.
  if (stateManager !== undefined && stateManager.useAccountCopiesTable !== true) {
    againstSnapshots.push("stateManager.useAccountCopiesTable is not true, and must be");
  }
  return { nodesPerConsensusGroup, nodesPerEdge: nodesPerEdge ?? undefined, againstSnapshots };
}
