/**
 * `evidence/counting.json`: the sharding settings and the quorum rule that the votes were counted under. A recount of
 * the votes needs both.
 */

import { nodesMax } from "../../limits/network.ts";
import { parseAs, WireError } from "../../wire/parse.ts";
import * as z from "../../wire/schema.ts";
import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export const COUNTING_FILE = `${EVIDENCE_DIRECTORY}/counting.json`;

/**
 * The source of a setting. `given`: the user gave it. `proved`: it hashes to a value in the cycle chain. `told`:
 * validators state it without proof.
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

/**
 * Parses the counting rules of the evidence.
 *
 * @throws WireError
 */
export function parseCountingRules(received: unknown, from: string): CountingRules {
  // Older versions wrote other fields, without the source of the settings, which do not suffice for a recount.
  if (typeof received === "object" && received !== null && "consensusRadius" in received) {
    throw new WireError(
      from,
      "written by an older version, without the sharding settings and their source: assemble the snapshot again",
    );
  }
  return parseAs(schema, received, from);
}
