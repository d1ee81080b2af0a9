/** The options of `restore`. */

import { abortSignal, flag, httpUrl, type Kind, oneOf, path, reporter } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { parseArchivers } from "./option-texts.ts";
import { verifyTable } from "./verify-table.ts";

const archivers: Kind = {
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isArchiver),
  expected: "a list of { ip, port, publicKey }",
  parse: parseArchivers,
};

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
    kind: oneOf("archiver"),
    isRequired: true,
    help: "what to restore; archiver: the accounts.sqlite3 of an archiver",
  },
  archiverDb: {
    flag: "--archiver-db <folder>",
    kind: path,
    help: "folder of the archiver's databases, which must be stopped",
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
    help: "write and read back everything, but replace nothing",
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
