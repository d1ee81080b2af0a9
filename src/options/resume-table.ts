/** The options of `resume`. */

import { cycleNumberMax } from "../limits/network.ts";
import { abortSignal, flag, oneOf, path, reporter, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { restoreTable } from "./restore-table.ts";
import { verifyTable } from "./verify-table.ts";

const { subset: _subset, signal: _signal, ...trustTable } = verifyTable;
const { archiverDb, archiver, force } = restoreTable;

export const resumeTable = {
  receipts: {
    flag: "--receipts <file>",
    kind: path,
    isRequired: true,
    help: "receipts.sqlite3 of an archiver, which must be stopped",
  },
  archiverDb: {
    ...archiverDb,
    isRequired: true,
    help: "folder of the archiver's databases, which must be stopped: its accounts.sqlite3 is replaced, its cycles.sqlite3 states the nodes of each cycle",
  },
  toCycle: {
    flag: "--to-cycle <n>",
    kind: wholeNumber(0, cycleNumberMax),
    help: "apply no receipts of later cycles",
  },
  unverifiedReceipts: {
    flag: "--unverified-receipts",
    kind: flag,
    help: "also apply receipts that nothing proves: without enough valid signatures, or of a cycle whose nodes are unknown; the result lists them",
  },
  report: {
    flag: "--report <file>",
    kind: path,
    help: "write what was found to this file as JSON, also if nothing is replaced",
  },
  hashDb: {
    flag: "--hash-db <file>",
    kind: path,
    help: "hash database that collect has filled: the result states whether the state has the network hash of the last cycle in it",
  },
  archiver,
  force,
  dryRun: {
    flag: "--dry-run",
    kind: flag,
    help: "replay and read back everything, but put nothing in place",
  },
  accountHash: {
    flag: "--account-hash <rule>",
    kind: oneOf("auto", "data", "shardeum-1.14"),
    default: "auto",
    help: "how the network's validators hash an account; auto: data or shardeum-1.14, whichever fits",
  },
  ...trustTable,
  signal: { kind: abortSignal, help: "ends the run; nothing is replaced" },
  reporter: { kind: reporter, help: "receives the events of the run" },
} as const satisfies OptionTable;
