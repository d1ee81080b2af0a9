/** The options of the main job and of `plan`. */

import { concurrencyMax } from "../limits/sync.ts";
import { abortSignal, age, flag, oneOf, path, reporter, snapshotTime, source, wholeNumber } from "./kinds.ts";
import { networkTable } from "./network-table.ts";
import type { OptionTable } from "./option-row.ts";

const signal = { kind: abortSignal, help: "ends the run; verified partitions are kept" } as const;

const order = {
  flag: "--order <rule>",
  kind: oneOf("bisect", "cover"),
  default: "bisect",
  help: "bisect: the order of Algorithm 1; cover: the fewest nodes, and among those the fewest bytes",
} as const;

export const quorum = {
  flag: "--quorum <rule>",
  kind: oneOf("majority", "popular"),
  default: "majority",
  help: "majority: more than half of the nodes that cover a partition; popular: the upstream's rule, the most popular hash if at least half of them vote",
} as const;

export const assembleTable = {
  ...networkTable,
  timestamp: {
    flag: "--timestamp <time>",
    kind: snapshotTime,
    isRequired: true,
    help: "snapshot time: milliseconds, seconds, ISO 8601 with a time zone, cycle:<n> for the end of that cycle, or latest",
  },
  maxAgeMs: {
    flag: "--max-age <duration>",
    kind: age,
    help: "with --timestamp latest: fail if the newest snapshot is older than this, such as 90m, 2h or 7d (by default, a snapshot older than a day is a warning)",
  },
  gossip: {
    flag: "--gossip <file>",
    kind: path,
    help: "read gossip messages from this file or pipe, in addition to those of the validators",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "hash database: the run uses its gossip messages and its records of nodes, and adds what it learns",
  },
  quorum,
  order,
  concurrency: {
    flag: "--concurrency <n>",
    kind: wholeNumber(1, concurrencyMax),
    default: 4,
    help: "number of nodes that are queried at the same time",
  },
  compression: {
    flag: "--compress <method>",
    kind: oneOf("none", "gzip"),
    default: "none",
    help: "compression of the artifacts",
  },
  out: {
    flag: "--out <directory>",
    kind: path,
    isRequired: true,
    default: "snapshots",
    help: "directory in which snapshots are published",
  },
  requireChain: {
    flag: "--require-chain",
    kind: flag,
    help: "publish only if a later cycle record names the same network hash",
  },
  stateMetadata: {
    flag: "--state-metadata <source>",
    kind: source,
    help: "file or URL of state metadata, a further witness that must not contradict the votes",
  },
  allowEmpty: {
    flag: "--allow-empty",
    kind: flag,
    help: "publish even if every partition is empty, as in a network that keeps no account copies",
  },
  signal,
  reporter: { kind: reporter, help: "receives the events of the run" },
} as const satisfies OptionTable;

export const planTable = {
  ...networkTable,
  timestamp: {
    flag: "--timestamp <time>",
    kind: snapshotTime,
    help: "snapshot time; the node list must be that of its cycle",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "hash database: nodes with a bad record are requested last",
  },
  order,
  signal,
} as const satisfies OptionTable;
