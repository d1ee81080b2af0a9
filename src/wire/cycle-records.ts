/** Parses cycle records (PROTOCOL.md, Cycle records) from an archiver or from a file. */

import {
  cycleNumberMax,
  cycleRecordsMax,
  cycleSecondsMax,
  cycleSecondsMin,
  nodesMax,
  recordedHashesMax,
  secondsMax,
} from "../limits/network.ts";
import type { Cycle } from "../protocol/brands.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import { hex64 } from "./hex.ts";
import { describe, parseAs, WireError } from "./parse.ts";
import { RowProblemList, type RowProblems } from "./row-problems.ts";
import * as z from "./schema.ts";

/** A hash has 64 digits, so no marker is longer than this. */
const markerLengthMax = 128;

const cycleNumber = z
  .int("expected a cycle number")
  .min(0, "expected a cycle number")
  .max(cycleNumberMax, "expected a cycle number")
  .transform((number) => number as Cycle);
const hash = z.string("expected a hash").max(markerLengthMax, "expected a hash");

const record = z.object({
  counter: cycleNumber,
  start: z.number("expected seconds").min(0, "expected seconds").max(secondsMax, "expected seconds"),
  duration: z
    .number("expected seconds")
    .positive("expected more than 0 seconds")
    .min(cycleSecondsMin, `expected at least ${cycleSecondsMin} seconds`)
    .max(cycleSecondsMax, `expected at most ${cycleSecondsMax} seconds`),
  active: z
    .int("expected a number of nodes")
    .min(0, "expected a number of nodes")
    .max(nodesMax, `expected at most ${nodesMax} nodes`),
  marker: hash.optional(),
  previous: hash.optional(),
  snapshot: z.boolean("expected true or false").nullish(),
  // The number of entries is checked before any of them is parsed.
  networkDataHash: z
    .array(z.unknown())
    .max(recordedHashesMax, `expected at most ${recordedHashesMax} network hashes`)
    .pipe(z.array(z.object({ cycle: cycleNumber, hash: hex64 })))
    .nullish(),
});

export interface CycleRecords {
  /** Ascending by number. */
  readonly records: readonly CycleRecord[];
  /** Malformed records, which are left out. */
  readonly skipped: RowProblems;
  /** The responses of the archiver, each of which may be signed. */
  readonly responses: readonly unknown[];
  /** The value that `JSON.parse` returned. */
  readonly received: unknown;
}

/**
 * @param received `{cycleInfo: […], sign}`, a list of such pages, or a list of records
 * @throws WireError if it has another shape
 */
export function parseCycleRecords(received: unknown, source: string): CycleRecords {
  const records: CycleRecord[] = [];
  const skipped = new RowProblemList();
  const responses = isListOfPages(received) ? received : [received];
  const rows = responses.flatMap((response) => rowsOf(response, source));
  if (rows.length > cycleRecordsMax)
    throw new WireError(source, `expected at most ${cycleRecordsMax} records`);
  for (const [index, row] of rows.entries()) {
    try {
      records.push(parseRecord(row, `[${index}]`));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      skipped.add(error.message);
    }
  }
  return { records: records.sort((a, b) => a.counter - b.counter), skipped, responses, received };
}

/** Returns whether a value is a list of pages, in which more records than one response holds are received. */
function isListOfPages(received: unknown): received is unknown[] {
  if (!Array.isArray(received)) return false;
  const [first] = received as unknown[];
  return typeof first === "object" && first !== null && "cycleInfo" in first;
}

function rowsOf(received: unknown, source: string): readonly unknown[] {
  const isList = Array.isArray(received);
  if (!isList && (typeof received !== "object" || received === null)) {
    throw new WireError(source, `expected cycle records, got ${describe(received)}`);
  }
  const rows = isList ? received : (received as { cycleInfo?: unknown }).cycleInfo;
  if (!Array.isArray(rows)) {
    throw new WireError(source, `cycleInfo: expected a list of cycle records, got ${describe(rows)}`);
  }
  if (rows.length > cycleRecordsMax)
    throw new WireError(source, `expected at most ${cycleRecordsMax} records`);
  return rows;
}

function parseRecord(row: unknown, source: string): CycleRecord {
  const { counter, start, duration, active, marker, previous, snapshot, networkDataHash } = parseAs(
    record,
    row,
    source,
  );
  return {
    counter,
    start,
    duration,
    active,
    marker,
    previous,
    snapshot: snapshot ?? false,
    networkDataHash: networkDataHash ?? [],
    received: row as Record<string, unknown>,
  };
}
