/** Parses the state metadata that one node sends to an archiver (PROTOCOL.md, Partition gossip). */

import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";
import { hex64 } from "./hex.ts";
import { parseAs } from "./parse.ts";
import * as z from "./schema.ts";

const counter = z
  .int("expected a cycle number")
  .min(0, "expected a cycle number")
  .transform((number) => number as Cycle);
const stateHashes = z.object({
  counter,
  partitionHashes: z.record(
    z.string().regex(/^(-1|0|[1-9]\d{0,5})$/, "expected the number of a partition"),
    hex64,
  ),
  networkHash: hex64,
});
const metadata = z.object({ counter, stateHashes: z.array(stateHashes) });

export interface StateHashes {
  readonly cycle: Cycle;
  readonly partitionHashes: ReadonlyMap<Partition, HashHex>;
  readonly networkHash: HashHex;
}

/**
 * @param received one object of state metadata, or a list of them
 * @throws WireError
 */
export function parseStateMetadata(received: unknown, source: string): StateHashes[] {
  const list = Array.isArray(received) ? received : [received];
  return list.flatMap((item) =>
    parseAs(metadata, item, source).stateHashes.map(({ counter: cycle, partitionHashes, networkHash }) => ({
      cycle,
      networkHash,
      partitionHashes: new Map(
        Object.entries(partitionHashes).map(([key, hash]) => [Number(key) as Partition, hash]),
      ),
    })),
  );
}
