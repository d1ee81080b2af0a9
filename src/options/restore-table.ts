/** The options of `restore`. */

import { nodesMax } from "../limits/network.ts";
import { abortSignal, flag, httpUrl, type Kind, oneOf, path, reporter } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { parseArchivers, parsePartitions } from "./option-texts.ts";
import { verifyTable } from "./verify-table.ts";

const archivers: Kind = {
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isArchiver),
  expected: "a list of { ip, port, publicKey }",
  parse: parseArchivers,
};

const partitions: Kind = {
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isPartitionNumber),
  expected: `a list of whole numbers from -1 to ${nodesMax - 1}`,
  parse: parsePartitions,
};

function isPartitionNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= -1 && Number(value) < nodesMax;
}

function isArchiver(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [ip, port, publicKey] = ["ip", "port", "publicKey"].map((name) => Reflect.get(value, name));
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
  return typeof ip === "string" && ip !== "" && isPort && /^[0-9a-f]{64}$/.test(String(publicKey));
}

const { subset: _subset, signal: _signal, ...trustTable } = verifyTable;

export const restoreTable = {
  to: {
    flag: "--to <target>",
    kind: oneOf("archiver", "account-export", "accounts-entry", "core-tables", "jsonl"),
    isRequired: true,
    help: "what to restore; archiver: the accounts.sqlite3 of an archiver; account-export: the text that the first node of a new network loads; accounts-entry: the database of a validator, for a read-only RPC; core-tables: the old data of a validator of before 2024-11; jsonl: one account per line",
  },
  archiverDb: {
    flag: "--archiver-db <folder>",
    kind: path,
    help: "with --to archiver: folder of the archiver's databases, which must be stopped",
  },
  out: {
    flag: "--out <file>",
    kind: path,
    help: "with any other target: the file to write, which must not exist",
  },
  accounts: {
    flag: "--accounts <file>",
    kind: path,
    help: "with --out: export only the accounts in this file, one ID per line",
    conflicts: ["partitions"],
  },
  partitions: {
    flag: "--partitions <list>",
    kind: partitions,
    help: "with --out: export only these partitions, such as -1,0,7-9",
  },
  archiver: {
    flag: "--archiver-url <url>",
    kind: httpUrl,
    help: "also require that no archiver answers at this URL",
  },
  force: {
    flag: "--force",
    kind: flag,
    help: "the archiver has crashed: complete and close its database, unless another process has it open",
  },
  dryRun: {
    flag: "--dry-run",
    kind: flag,
    help: "write and read back everything, but put nothing in place",
  },
  accountHash: {
    flag: "--account-hash <rule>",
    kind: oneOf("auto", "data", "shardeum-1.14", "none"),
    default: "auto",
    help: "how the network's validators hash an account; they skip accounts that do not fit, so the result counts those; auto: try data, then shardeum-1.14; none: do not count",
  },
  appendShutdown: {
    flag: "--append-shutdown",
    kind: flag,
    help: "also append a cycle record to the archiver's cycles.sqlite3 that says that the network is shut down; requires --archivers",
  },
  archivers: {
    flag: "--archivers <list>",
    kind: archivers,
    help: "with --append-shutdown: the archivers that the restarted network asks, as ip:port:publicKey,…",
  },
  ...trustTable,
  signal: { kind: abortSignal, help: "ends the restore; nothing is replaced" },
  reporter: { kind: reporter, help: "receives the events of the restore" },
} as const satisfies OptionTable;
