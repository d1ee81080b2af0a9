/** Parses `--timestamp`: a moment, the end of a cycle, or the latest snapshot. */

import { SnapshotError } from "../../errors/snapshot-error.ts";

export type SnapshotTime =
  | { readonly kind: "moment"; readonly timestamp: number }
  | { readonly kind: "cycle"; readonly counter: number }
  | { readonly kind: "latest" };

/** Whole numbers below this are seconds (until the year 5138), and others milliseconds (since 1973). */
const millisecondsFrom = 100_000_000_000;

/**
 * 3 January 2009, the first block of the oldest blockchain: no snapshot is older. A smaller number was meant differently,
 * for example as the number of a cycle.
 */
const oldestMs = Date.UTC(2009, 0, 3);

const isoPattern = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

const forms =
  "Give milliseconds (1700000640000), seconds (1700000640), ISO 8601 with a time zone (2023-11-14T22:24:00Z), cycle:<n> for the end of a cycle, or latest.";

/**
 * Returns the time that an option of the library states.
 *
 * @throws SnapshotError `usage`
 */
export function snapshotTimeOf(option: string | number | SnapshotTime): SnapshotTime {
  return typeof option === "object" ? option : parseSnapshotTime(String(option));
}

/**
 * Parses `latest`, `cycle:<n>` or a time.
 *
 * @throws SnapshotError `usage`
 */
export function parseSnapshotTime(text: string): SnapshotTime {
  if (text === "latest") return { kind: "latest" };
  const cycle = /^cycle:(\d{1,15})$/.exec(text);
  if (cycle !== null) return { kind: "cycle", counter: Number(cycle[1]) };
  if (/^\d{1,15}$/.test(text)) {
    const number = Number(text);
    return momentOf(text, number < millisecondsFrom ? number * 1000 : number);
  }
  const [, year, month, day, time, , , zone] = isoPattern.exec(text) ?? [];
  const isDate = isDay(Number(year), Number(month), Number(day)) && !Number.isNaN(Date.parse(text));
  if (isDate && time === undefined) {
    throw new SnapshotError("usage", `--timestamp: "${text}" has no time of day and no time zone`, {
      hint: `A snapshot is of one moment. ${forms}`,
    });
  }
  if (isDate && zone === undefined) {
    throw new SnapshotError("usage", `--timestamp: "${text}" has no time zone`, {
      hint: `Write ${text}Z for UTC, or an offset such as ${text}+02:00 (ISO 8601).`,
    });
  }
  if (isDate) return momentOf(text, Date.parse(text));
  throw new SnapshotError("usage", `--timestamp: "${text}" is not a timestamp`, { hint: forms });
}

function momentOf(text: string, timestamp: number): SnapshotTime {
  if (timestamp >= oldestMs) return { kind: "moment", timestamp };
  const cycle = /^\d+$/.test(text)
    ? ` For the end of cycle ${Number(text)}, give cycle:${Number(text)}.`
    : "";
  const day = new Date(timestamp).toISOString().slice(0, 10);
  throw new SnapshotError("usage", `--timestamp: "${text}" means ${day}, and no network is that old`, {
    hint: `${forms}${cycle}`,
  });
}

/** Returns whether the calendar has a day: Date.parse accepts 30 February as 2 March. */
function isDay(year: number, month: number, day: number): boolean {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}
