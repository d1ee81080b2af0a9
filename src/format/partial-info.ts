/** `partial.json` in the directory of a snapshot that is being assembled: what its artifacts are partitions of. */

import { nodesMax } from "../limits/network.ts";
import { parseAs, parseJson } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";

export const PARTIAL_FILE = "partial.json";

export interface PartialInfo {
  /** Milliseconds. */
  readonly timestamp: number;
  /** Without the global partition. */
  readonly numPartitions: number;
}

const schema = z.strictObject({
  timestamp: z.int("expected a whole number").min(0, "expected a whole number"),
  numPartitions: z
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(nodesMax, `expected at most ${nodesMax}`),
});

/** @throws WireError */
export function parsePartialInfo(text: string): PartialInfo {
  return parseAs(schema, parseJson(text, PARTIAL_FILE), PARTIAL_FILE);
}

export function partialInfoText(info: PartialInfo): string {
  return `${JSON.stringify(info)}\n`;
}
