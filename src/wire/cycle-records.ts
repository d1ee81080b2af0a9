/** Cycle records (PROTOCOL.md, Cycle records), from an archiver or from a file. */

import {
  cycleNumberMax,
  cycleRecordsMax,
  cycleSecondsMax,
  cycleSecondsMin,
  nodesMax,
  recordedHashesMax,
  secondsMax,
} from "../limits/network.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import { hex64 } from "./hex.ts";
import { describe, parseAs, WireError } from "./parse.ts";
import { RowProblemList, type RowProblems } from "./row-problems.ts";
import * as z from "./schema.ts";

/** Hashes have 64 digits; what is longer is no marker of any network. */
const markerLengthMax = 128;

const cycleNumber = z
  .int("expected a cycle number")
  .min(0, "expected a cycle number")
  .max(cycleNumberMax, "expected a cycle number");
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
  // Counted before each is looked at.
  networkDataHash: z
    .array(z.unknown())
    .max(recordedHashesMax, `expected at most ${recordedHashesMax} network hashes`)
    .pipe(z.array(z.object({ cycle: cycleNumber, hash: hex64 })))
    .nullish(),
});

export interface CycleRecords {
  /** In ascending order of their number. */
  readonly records: readonly CycleRecord[];
  /** Records that are left out, because they are none. */
  readonly skipped: RowProblems;
  /** What signatures, where there are any, are over: each response. */
  readonly responses: readonly unknown[];
  /** As `JSON.parse` returned it. */
  readonly received: unknown;
}

/**
 * @param received `{cycleInfo: […], sign}`, a list of such pages, or the bare list, as `JSON.parse` returned it
 * @throws WireError where it is of another shape
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

/** Records beyond those of one response come page by page. */
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
