/** Cycle records (PROTOCOL.md, Cycle records), from an archiver or from a file. */

import { z } from "zod";
import type { CycleRecord } from "../model/cycle.ts";
import { cycleRecordsMax, nodesMax } from "../model/limits.ts";
import { hex64 } from "./hex.ts";
import { parseAs } from "./parse.ts";

/** Hashes have 64 digits; what is longer is no marker of any network. */
const markerLengthMax = 128;

const record = z.looseObject({
  counter: z.int("expected a cycle number").min(0, "expected a cycle number"),
  start: z.number("expected seconds").min(0, "expected seconds"),
  duration: z.number("expected seconds").positive("expected more than 0 seconds"),
  active: z
    .int("expected a number of nodes")
    .min(0, "expected a number of nodes")
    .max(nodesMax, `expected at most ${nodesMax} nodes`),
  marker: z.string("expected a hash").max(markerLengthMax, "expected a hash").optional(),
  previous: z.string("expected a hash").max(markerLengthMax, "expected a hash").optional(),
  snapshot: z.boolean("expected true or false").nullish(),
  networkDataHash: z.array(z.looseObject({ cycle: z.int("expected a cycle number"), hash: hex64 })).nullish(),
});

const records = z
  .array(record, "expected a list of cycle records")
  .max(cycleRecordsMax, `expected at most ${cycleRecordsMax} records`);

const envelope = z.looseObject({ cycleInfo: records }, "expected cycle records");

export interface CycleRecords {
  /** In ascending order of their number. */
  readonly records: readonly CycleRecord[];
  /** What a signature, where there is one, is over. */
  readonly received: unknown;
}

/**
 * @param received `{cycleInfo: […], sign}` or the bare list, as `JSON.parse` returned it
 * @throws WireError where it is of another shape
 */
export function parseCycleRecords(received: unknown, source: string): CycleRecords {
  const list = Array.isArray(received) ? received : (received as { cycleInfo?: unknown } | null)?.cycleInfo;
  const fields = Array.isArray(received)
    ? parseAs(records, received, source)
    : parseAs(envelope, received, source).cycleInfo;
  const parsed = fields.map((fieldsOfRecord, index): CycleRecord => {
    const { counter, start, duration, active, marker, previous, snapshot, networkDataHash } = fieldsOfRecord;
    return {
      counter,
      start,
      duration,
      active,
      marker,
      previous,
      snapshot: snapshot ?? false,
      networkDataHash: networkDataHash ?? [],
      received: (list as Record<string, unknown>[])[index] ?? {},
    };
  });
  return { records: parsed.sort((a, b) => a.counter - b.counter), received };
}
