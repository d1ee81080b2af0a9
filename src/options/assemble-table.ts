/** The options of the main job and of `plan`. */

import { concurrencyMax } from "../limits/sync.ts";
import {
  abortSignal,
  age,
  flag,
  httpUrl,
  httpUrls,
  oneOf,
  path,
  reporter,
  snapshotTime,
  source,
  texts,
  wholeNumber,
} from "./kinds.ts";
import { networkTable } from "./network-table.ts";
import type { OptionTable } from "./option-row.ts";

const signal = { kind: abortSignal, help: "ends the run; verified partitions are kept" } as const;

const order = {
  flag: "--order <rule>",
  kind: oneOf("bisect", "cover"),
  default: "bisect",
  help: "order of the queries; bisect: nodes that are far apart first (Algorithm 1); cover: the fewest nodes, and among those the fewest bytes",
} as const;

export const quorum = {
  flag: "--quorum <rule>",
  kind: oneOf("majority", "popular"),
  default: "majority",
  help: "votes that a hash needs; majority: more than half of the nodes that cover the partition; popular: the most votes, if at least half of those nodes vote (the network's own rule)",
} as const;

export const assembleTable = {
  ...networkTable,
  timestamp: {
    flag: "--timestamp <time>",
    kind: snapshotTime,
    isRequired: true,
    help: "time of the snapshot: latest, cycle:<n> for the end of that cycle, ISO 8601 with a time zone, or seconds or milliseconds since 1970",
  },
  maxAgeMs: {
    flag: "--max-age <duration>",
    kind: age,
    help: "with --timestamp latest: fail if the newest snapshot is older than this, such as 90m, 2h or 7d (by default, a snapshot older than a day causes a warning)",
  },
  gossip: {
    flag: "--gossip <file>",
    kind: path,
    help: "also read gossip messages, the validators' votes, from this file or pipe",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "hash database that collect has filled; the run reads votes and the records of nodes from it, and adds what it learns",
  },
  evidence: {
    flag: "--evidence <url>",
    kind: httpUrl,
    help: "also read votes from the evidence of the snapshots at this URL, as for --mirror; a vote counts only with the signature of a validator on the node list",
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
    help: "compression of the artifacts, the files with the accounts",
  },
  seed: {
    flag: "--seed <source>",
    kind: texts,
    default: ["auto"],
    help: "older state, of which only the changes are fetched: auto for the snapshots in --out, none, the directory of a snapshot, or archiver-db:<path> for the accounts.sqlite3 of an archiver; can be repeated",
  },
  mirrors: {
    flag: "--mirror <url>",
    kind: httpUrls,
    help: "fetch what the validators do not give from the directory of snapshots that another archiver has published at this URL, on any web server; accounts count only with the agreed hash; can be repeated",
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
    help: "file or URL of the network's state metadata; the run fails if it contradicts the votes",
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
    help: "time of the snapshot, in the same forms as for a run; the node list must be that of its cycle (by default, the plan is for the present node list)",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "hash database with the records of nodes; nodes with a bad record are queried last",
  },
  order,
  signal,
} as const satisfies OptionTable;
