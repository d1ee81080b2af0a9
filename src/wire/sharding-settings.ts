/** The sharding settings that a snapshot was counted with, as its evidence keeps them. */

import { z } from "zod";
import { nodesMax } from "../model/limits.ts";
import { parseAs } from "./parse.ts";

const radius = z
  .int("expected a number of nodes")
  .min(0, "expected a number of nodes")
  .max(nodesMax, "expected a number of nodes");
const settings = z.strictObject({ consensusRadius: radius, storeRadius: radius });

export interface ShardingSettings {
  /** Node i votes on the partitions `i ± consensusRadius`. */
  readonly consensusRadius: number;
  /** Node i stores the partitions `i ± storeRadius`. */
  readonly storeRadius: number;
}

/** @throws WireError */
export function parseShardingSettings(received: unknown, source: string): ShardingSettings {
  return parseAs(settings, received, source);
}
