/** The options of the main job, and of its plan. */

import { concurrencyMax } from "../limits/sync.ts";
import {
  abortSignal,
  age,
  flag,
  oneOf,
  parsedSnapshotTime,
  path,
  reporter,
  snapshotTime,
  source,
  wholeNumber,
} from "./kinds.ts";
import { networkTable } from "./network-table.ts";
import type { OptionTable } from "./option-row.ts";

const signal = { kind: abortSignal, help: "ends the run; what is verified is kept" } as const;

const order = {
  flag: "--order <rule>",
  kind: oneOf("bisect", "cover"),
  default: "bisect",
  help: "bisect: Algorithm 1; cover: the fewest nodes; among those, the fewest bytes",
} as const;

export const quorum = {
  flag: "--quorum <rule>",
  kind: oneOf("majority", "popular"),
  default: "majority",
  help: "majority: more than half of those that cover a partition; popular: the upstream's rule",
} as const;

export const assembleTable = {
  ...networkTable,
  timestamp: {
    flag: "--timestamp <time>",
    kind: snapshotTime,
    isRequired: true,
    help: "the snapshot's time: milliseconds, seconds, ISO 8601, cycle:<n> for the end of that cycle, or latest",
  },
  maxAgeMs: {
    flag: "--max-age <duration>",
    kind: age,
    help: "with --timestamp latest: fail where the newest snapshot is older (like 90m, 2h, 7d; by default, one older than a day is a warning)",
  },
  gossip: {
    flag: "--gossip <file>",
    kind: path,
    help: "gossip messages from a file, beside those of the validators",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "a hash database: gossip that was collected, and records of nodes; what the run learns is added to it",
  },
  quorum,
  order,
  concurrency: {
    flag: "--concurrency <n>",
    kind: wholeNumber(1, concurrencyMax),
    default: 4,
    help: "nodes that are requested at the same time",
  },
  compression: {
    flag: "--compress <method>",
    kind: oneOf("none", "gzip"),
    default: "none",
    help: "of the artifacts",
  },
  out: {
    flag: "--out <directory>",
    kind: path,
    isRequired: true,
    default: "snapshots",
    help: "where snapshots are published",
  },
  requireChain: {
    flag: "--require-chain",
    kind: flag,
    help: "publish only where a later cycle record names the same network hash",
  },
  stateMetadata: {
    flag: "--state-metadata <source>",
    kind: source,
    help: "a file or URL of state metadata, which must not disagree",
  },
  allowEmpty: {
    flag: "--allow-empty",
    kind: flag,
    help: "publish even where every partition is empty: such a network may keep no copies",
  },
  signal,
  reporter: { kind: reporter, help: "takes the events of the run" },
} as const satisfies OptionTable;

export const planTable = {
  ...networkTable,
  timestamp: {
    flag: "--timestamp <time>",
    kind: parsedSnapshotTime,
    help: "the snapshot's time, whose cycle the node list must be of",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "a hash database: nodes with a bad record are requested later",
  },
  order,
  signal,
} as const satisfies OptionTable;
