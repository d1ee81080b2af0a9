/** The rules that a snapshot's votes were counted by, as its evidence keeps them. */

import { z } from "zod";
import { nodesMax } from "../model/limits.ts";
import { parseAs } from "./parse.ts";

const radius = z
  .int("expected a number of nodes")
  .min(0, "expected a number of nodes")
  .max(nodesMax, "expected a number of nodes");
const rules = z.strictObject({
  consensusRadius: radius,
  storeRadius: radius,
  quorum: z.enum(["majority", "popular"], "expected majority or popular"),
});

export interface CountingRules {
  /** Node i votes on the partitions `i ± consensusRadius`. */
  readonly consensusRadius: number;
  /** Node i stores the partitions `i ± storeRadius`. */
  readonly storeRadius: number;
  readonly quorum: "majority" | "popular";
}

/** @throws WireError */
export function parseCountingRules(received: unknown, source: string): CountingRules {
  return parseAs(rules, received, source);
}
