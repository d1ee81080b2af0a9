/** What `--timestamp` can name: a moment, the end of a cycle, or the latest snapshot. */

import { Failure } from "../model/failure.ts";

export type SnapshotTime =
  | { readonly kind: "moment"; readonly timestamp: number }
  | { readonly kind: "cycle"; readonly counter: number }
  | { readonly kind: "latest" };

/** Whole numbers below this are seconds (until the year 5138), from it on milliseconds (since 1973). */
const millisecondsFrom = 100_000_000_000;

const isoPattern = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})$/;

/** @throws Failure of code `usage` */
export function parseSnapshotTime(text: string): SnapshotTime {
  if (text === "latest") return { kind: "latest" };
  const cycle = /^cycle:(\d{1,15})$/.exec(text);
  if (cycle !== null) return { kind: "cycle", counter: Number(cycle[1]) };
  if (/^\d{1,15}$/.test(text)) {
    const number = Number(text);
    return { kind: "moment", timestamp: number < millisecondsFrom ? number * 1000 : number };
  }
  const [, year, month, day] = isoPattern.exec(text) ?? [];
  const parsed = isDay(Number(year), Number(month), Number(day)) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(parsed)) return { kind: "moment", timestamp: parsed };
  throw new Failure("usage", `--timestamp: "${text}" is no timestamp`, {
    hint: "Give milliseconds (1700000640000), seconds (1700000640), ISO 8601 with a time zone (2023-11-14T22:24:00Z), cycle:<n> for the end of a cycle, or latest.",
  });
}

/** Whether the calendar has such a day: Date.parse takes the 30th of February for the 2nd of March. */
function isDay(year: number, month: number, day: number): boolean {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}
