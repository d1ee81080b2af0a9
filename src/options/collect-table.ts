/** The options of `collect`, and of `nodes`, which reads its database. */

import { keepCyclesMax } from "../limits/collect.ts";
import { abortSignal, duration, type Kind, listen, path, reporter } from "./kinds.ts";
import { networkTable } from "./network-table.ts";
import type { OptionTable } from "./option-row.ts";
import { durationHelp, parseKeep } from "./option-texts.ts";

const keep: Kind = {
  accepts: isKeep,
  expected: `{ cycles } from 1 to ${keepCyclesMax}, or { ageMs } greater than 0`,
  parse: parseKeep,
};

export const collectTable = {
  ...networkTable,
  listen: {
    flag: "--listen <address>",
    kind: listen,
    isRequired: true,
    default: { host: "127.0.0.1", port: 4100 },
    defaultText: "127.0.0.1:4100",
    help: "address that receives pushed messages, as host:port",
  },
  database: {
    flag: "--hash-db <file>",
    kind: path,
    isRequired: true,
    default: "hashes.sqlite",
    help: "hash database; it is created if it does not exist",
  },
  keep: {
    flag: "--keep <n|age>",
    kind: keep,
    default: { cycles: 256 },
    defaultText: "256",
    help: "what the database keeps: the newest n cycles, or the cycles of an age such as 12h, 7d or 2w",
  },
  pollMs: {
    flag: "--poll <duration>",
    kind: duration,
    default: 30_000,
    defaultText: "30s",
    help: `time between two polls, which read the lists and the messages that were not pushed, ${durationHelp}`,
  },
  signal: { kind: abortSignal, isRequired: true, help: "ends the collector" },
  reporter: { kind: reporter, help: "receives the events of the collector" },
} as const satisfies OptionTable;

export const nodesTable = {
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    isRequired: true,
    help: "hash database to read: the file that collect, or a run with --hash-db, has written",
  },
} as const satisfies OptionTable;

function isKeep(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [cycles, ageMs] = [Reflect.get(value, "cycles"), Reflect.get(value, "ageMs")];
  if (cycles !== undefined) return Number.isInteger(cycles) && cycles >= 1 && cycles <= keepCyclesMax;
  return typeof ageMs === "number" && ageMs > 0;
}
