/**
 * `evidence/counting.json`: how far the votes of a node reach, and how many votes carry a hash. Without these rules,
 * nobody can count the votes again.
 */

import { nodesMax } from "../../limits/network.ts";
import { parseAs, WireError } from "../../wire/parse.ts";
import * as z from "../../wire/schema.ts";
import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export const COUNTING_FILE = `${EVIDENCE_DIRECTORY}/counting.json`;

/**
 * Where a setting comes from. `given`: from the user, in so many words. `proved`: it hashes to a value in the
 * cycle chain. `told`: validators say so, and nothing proves it.
 */
export type TrustSource = "given" | "proved" | "told";

const source = z.enum(["given", "proved", "told"], "expected given, proved or told");
const nodes = (min: number) =>
  z
    .int("expected a number of nodes")
    .min(min, `expected at least ${min} nodes`)
    .max(nodesMax, `expected at most ${nodesMax} nodes`);
const schema = z.strictObject({
  sharding: z.strictObject({ nodesPerConsensusGroup: nodes(1), nodesPerEdge: nodes(0), source }),
  quorum: z.strictObject({
    rule: z.enum(["majority", "popular"], "expected majority or popular"),
    source,
  }),
});

export interface CountingRules {
  readonly sharding: {
    readonly nodesPerConsensusGroup: number;
    readonly nodesPerEdge: number;
    readonly source: TrustSource;
  };
  readonly quorum: { readonly rule: "majority" | "popular"; readonly source: TrustSource };
}

export function countingRulesText(rules: CountingRules): string {
  return `${JSON.stringify(rules, null, 2)}\n`;
}

/** @throws WireError */
export function parseCountingRules(received: unknown, from: string): CountingRules {
  // Versions before these settings had a source wrote other fields, from which nothing can be counted safely.
  if (typeof received === "object" && received !== null && "consensusRadius" in received) {
    throw new WireError(
      from,
      "written by an older version, without the sharding settings and where they come from: assemble the snapshot again",
    );
  }
  return parseAs(schema, received, from);
}
