/** Parses what an archiver says about its network: the mode and the duration of its newest cycle, and its nodes. */

import { cycleSecondsMax, cycleSecondsMin, nodesMax } from "../limits/network.ts";
import { isPublicKey, type PublicKey } from "../protocol/brands.ts";
import { describe, WireError } from "./parse.ts";

export interface NewestCycle {
  /** Such as "restore"; `undefined` if the record states none, as those of old networks. */
  readonly mode: string | undefined;
  /** `undefined` if the record states no usable duration. */
  readonly durationSeconds: number | undefined;
}

/**
 * @param received the response to `GET /cycleinfo/1`: `{cycleInfo: [record], sign}`
 * @throws WireError
 */
export function parseNewestCycle(received: unknown, source: string): NewestCycle {
  const records = fieldOf(received, "cycleInfo");
  const [record] = Array.isArray(records) ? (records as unknown[]) : [];
  if (!isObject(record)) throw new WireError(source, "expected a cycle record in cycleInfo");
  const { mode, duration } = record;
  const isDuration =
    typeof duration === "number" && duration >= cycleSecondsMin && duration <= cycleSecondsMax;
  return {
    mode: typeof mode === "string" ? mode : undefined,
    durationSeconds: isDuration ? duration : undefined,
  };
}

/**
 * Returns the keys of nodes, with or without an ID. Rows without a key are left out.
 *
 * @param received the response to `GET /full-nodelist`: `{nodeList: […], sign}`
 * @throws WireError
 */
export function parseNodeKeys(received: unknown, source: string): PublicKey[] {
  const rows = fieldOf(received, "nodeList");
  if (!Array.isArray(rows)) throw new WireError(source, `nodeList: expected a list, got ${describe(rows)}`);
  if (rows.length > nodesMax) throw new WireError(source, `expected at most ${nodesMax} nodes`);
  return (rows as unknown[]).flatMap((row) => {
    const key = fieldOf(row, "publicKey");
    return isPublicKey(key) ? [key] : [];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
