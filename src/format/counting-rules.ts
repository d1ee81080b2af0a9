/** The rules that a snapshot's votes were counted by, as its evidence keeps them (`evidence/counting.json`). */

import { nodesMax } from "../limits/limits.ts";
import { parseAs } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";

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
const rules = z.strictObject({
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

/** @throws WireError */
export function parseCountingRules(received: unknown, from: string): CountingRules {
  return parseAs(rules, received, from);
}
