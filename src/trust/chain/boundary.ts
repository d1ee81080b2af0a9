/**
 * Finds the cycle of a snapshot time (PROTOCOL.md, Time): a snapshot can only be of the end of a cycle, and its hashes are
 * gossiped under the number of that cycle.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { type CycleRecord, cycleEndMs } from "../../protocol/cycle-record.ts";
import type { SnapshotTime } from "./timestamp.ts";

export interface Boundary {
  /** Milliseconds. */
  readonly timestamp: number;
  /** The snapshot's cycle, which ends at the timestamp. */
  readonly cycle: CycleRecord;
}

/**
 * Returns the boundaries that a time can mean, the best first: one for a moment or a cycle; for `latest` the marked
 * boundaries, or, if none is marked, the ends of all cycles that are over. Only the validators know which of them are
 * finalized.
 *
 * @param records ascending by number
 * @throws SnapshotError `unaligned-timestamp` with the nearest boundaries, `temporary` for a future boundary,
 *   `configuration` for one before the first record, `chain` for one in a gap of the records
 */
export function findBoundaries(
  time: SnapshotTime,
  records: readonly CycleRecord[],
  nowMs: number,
): Boundary[] {
  const newest = records.at(-1);
  const oldest = records[0];
  if (newest === undefined || oldest === undefined) {
    throw new SnapshotError("configuration", "there are no cycle records", {
      hint: "Check the archiver's address, or the file given with --cycles.",
    });
  }
  switch (time.kind) {
    case "latest":
      return latestBoundaries(records, nowMs);
    case "cycle":
      return [requireOver(boundaryOfCycle(time.counter, records, oldest, newest), nowMs)];
    case "moment":
      return [requireOver(boundaryAt(time.timestamp, records, oldest, newest, nowMs), nowMs)];
  }
}

/** The age of `latest` above which a warning is reported: networks mark a cycle at least once a day. */
const latestUsualAgeMs = 24 * 60 * 60 * 1_000;

/**
 * Returns the boundaries that are recent enough for `latest`.
 *
 * @param boundaries the newest first, at least one
 * @throws SnapshotError `temporary` if all of them are older than `maxAgeMs`
 */
export function requireRecent(
  boundaries: readonly Boundary[],
  nowMs: number,
  maxAgeMs: number = Number.POSITIVE_INFINITY,
): Boundary[] {
  const recent = boundaries.filter(({ timestamp }) => nowMs - timestamp <= maxAgeMs);
  const [newest] = boundaries;
  if (recent.length > 0 || newest === undefined) return recent;
  throw new SnapshotError(
    "temporary",
    `${describeAge(newest, nowMs)}: --max-age permits ${describeMsSpan(maxAgeMs)}`,
    {
      hint: "Check that the archiver follows the network; use another one with --archiver, or permit an older snapshot.",
    },
  );
}

/** Returns the warning for an old boundary that was chosen for `latest` without a maximum age. */
export function ageWarning(boundary: Boundary, nowMs: number): string | undefined {
  if (nowMs - boundary.timestamp <= latestUsualAgeMs) return undefined;
  return `${describeAge(boundary, nowMs)}: the archiver may no longer follow the network; --max-age sets a limit`;
}

function describeAge({ timestamp, cycle }: Boundary, nowMs: number): string {
  const age = describeMsSpan(nowMs - timestamp);
  return `the newest snapshot is of cycle ${cycle.counter}, ${describeMs(timestamp)}, ${age} ago`;
}

const spans = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Describes a span, such as `3 days` or `1 hour`, in the largest unit of which it has at least two, or exactly one. */
function describeMsSpan(spanMs: number): string {
  const [unit, unitMs] = spans.find(([, ms]) => spanMs >= 2 * ms || spanMs === ms) ?? ["second", 1_000];
  const count = Math.floor((spanMs / unitMs) * 10) / 10;
  const shown = count >= 10 ? Math.floor(count) : count;
  return `${shown} ${unit}${shown === 1 ? "" : "s"}`;
}

function requireOver(boundary: Boundary, nowMs: number): Boundary {
  if (boundary.timestamp <= nowMs) return boundary;
  const { timestamp, cycle } = boundary;
  throw new SnapshotError("temporary", `cycle ${cycle.counter} does not end until ${describeMs(timestamp)}`, {
    hint: "Try again when it is over and finalized.",
  });
}

function latestBoundaries(records: readonly CycleRecord[], nowMs: number): Boundary[] {
  const ends = records.map((cycle): Boundary => ({ timestamp: cycleEndMs(cycle), cycle }));
  const marks = new Set(records.filter((record) => record.snapshot).map((record) => record.start * 1000));
  const marked = ends.filter((boundary) => marks.has(boundary.timestamp));
  const over = (marked.length > 0 ? marked : ends)
    .filter((boundary) => boundary.timestamp <= nowMs)
    .reverse();
  if (over.length > 0) return over;
  throw new SnapshotError("temporary", "none of the recorded cycles is over", {
    hint: "Try again when the cycle has ended.",
  });
}

function boundaryOfCycle(
  counter: number,
  records: readonly CycleRecord[],
  oldest: CycleRecord,
  newest: CycleRecord,
): Boundary {
  const cycle = records.find((record) => record.counter === counter);
  if (cycle !== undefined) return { timestamp: cycleEndMs(cycle), cycle };
  if (counter > newest.counter) {
    throw new SnapshotError(
      "temporary",
      `cycle ${counter} is in the future: the newest record is ${newest.counter}`,
      {
        hint: "Try again when the cycle is over.",
      },
    );
  }
  const problem = `cycle ${counter} is not among the records`;
  throw counter < oldest.counter ? notKnown(problem, oldest, newest) : leftOut(problem, oldest, newest);
}

function boundaryAt(
  timestamp: number,
  records: readonly CycleRecord[],
  oldest: CycleRecord,
  newest: CycleRecord,
  nowMs: number,
): Boundary {
  const cycle = records.find((record) => cycleEndMs(record) === timestamp);
  if (cycle !== undefined) return { timestamp, cycle };
  const below = records.findLast((record) => cycleEndMs(record) < timestamp);
  const above = records.find((record) => cycleEndMs(record) > timestamp);
  if (below === undefined) {
    const isStart = oldest.start * 1000 === timestamp;
    if (isStart)
      throw notKnown(
        `the cycle that ended at ${describeMs(timestamp)} is not among the records`,
        oldest,
        newest,
      );
    if (timestamp < oldest.start * 1000) {
      throw notKnown(`${describeMs(timestamp)} is before the first record`, oldest, newest);
    }
  }
  if (below !== undefined && above !== undefined && above.counter > below.counter + 1) {
    const gap = `records ${below.counter + 1} to ${above.counter - 1} are missing`;
    throw leftOut(`${describeMs(timestamp)} lies in a gap: ${gap} among the records`, oldest, newest);
  }
  if (above !== undefined || below === undefined) {
    const before = below === undefined ? oldest.start * 1000 : cycleEndMs(below);
    const after = above === undefined ? cycleEndMs(newest) : cycleEndMs(above);
    throw unaligned(timestamp, [before, after], records, nowMs);
  }
  // Beyond the newest record, cycles are assumed to continue with its duration.
  const periodMs = newest.duration * 1000;
  const beyond = Math.floor((timestamp - cycleEndMs(newest)) / periodMs);
  const expected = cycleEndMs(newest) + beyond * periodMs;
  if (expected !== timestamp) throw unaligned(timestamp, [expected, expected + periodMs], records, nowMs);
  throw new SnapshotError(
    "temporary",
    `${describeMs(timestamp)} is in the future: the newest record is cycle ${newest.counter}, which ends at ${describeMs(cycleEndMs(newest))}`,
    {
      hint: "Try again when that cycle is over and finalized.",
    },
  );
}

/** Returns the error for a time within a cycle. It does not suggest a future boundary, which would fail as well. */
function unaligned(
  timestamp: number,
  [before, after]: readonly [number, number],
  records: readonly CycleRecord[],
  nowMs: number,
): SnapshotError {
  const problem = `${describeMs(timestamp)} is not a cycle boundary`;
  if (after <= nowMs) {
    const nearest = `${describeMs(before)} and ${describeMs(after)}`;
    return new SnapshotError("unaligned-timestamp", `${problem}; the nearest are ${nearest}`, {
      hint: `Use --timestamp ${before} or --timestamp ${after}.`,
    });
  }
  const over = records.map(cycleEndMs).findLast((endMs) => endMs <= nowMs);
  const newest = before <= nowMs ? before : over;
  if (newest === undefined) {
    return new SnapshotError("unaligned-timestamp", `${problem}; none of the recorded cycles is over`, {
      hint: "Try --timestamp latest when the first cycle has ended.",
    });
  }
  const isFuture = timestamp > nowMs ? ", and is in the future" : "";
  return new SnapshotError(
    "unaligned-timestamp",
    `${problem}${isFuture}; the newest one is ${describeMs(newest)}`,
    { hint: `Use --timestamp ${newest} or --timestamp latest.` },
  );
}

/** Returns the error for a boundary before the first record. */
function notKnown(problem: string, oldest: CycleRecord, newest: CycleRecord): SnapshotError {
  return new SnapshotError("configuration", `${problem}, ${describeRange(oldest, newest)}`, {
    hint: "Use an archiver that keeps older records, or give them as a file with --cycles.",
  });
}

/** Returns the error for a boundary in a gap of the records. */
function leftOut(problem: string, oldest: CycleRecord, newest: CycleRecord): SnapshotError {
  return new SnapshotError("chain", `${problem}, ${describeRange(oldest, newest)}`, {
    hint: "Use another archiver with --archiver, or give all records as a file with --cycles.",
  });
}

function describeRange(oldest: CycleRecord, newest: CycleRecord): string {
  return `which are those of cycles ${oldest.counter} to ${newest.counter}`;
}

function describeMs(timestamp: number): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : `${timestamp} (${date.toISOString()})`;
}
