/** `snapshot-assemble restore <directory>`: restores a published snapshot. */

import type { RestoreOptions, RestoreResult } from "../../app/restore.ts";
import { formatCount, formatCounted } from "../../ui/format.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import type { Outcome } from "../outcome.ts";
import { reporterOf } from "./restore-reporter.ts";

/** The options of the library, and those of the command line. */
export type RestoreFlags = Omit<RestoreOptions, "signal" | "reporter"> & CommandLineFlags;

export const restoreExamples = `Examples:
  $ snapshot-assemble restore snapshots/snapshot-1700000640000 --to archiver --archiver-db archiver-db
      replaces the accounts.sqlite3 of a stopped archiver, and keeps the old one beside it
  $ snapshot-assemble restore snapshots/snapshot-1700000640000 --to archiver --archiver-db archiver-db --dry-run
      writes and reads back the database, and replaces nothing
  $ snapshot-assemble restore snapshots/snapshot-1700000640000 --to archiver --archiver-db archiver-db --append-shutdown --archivers 192.0.2.1:4000:758b1c11…de3
      also records that the network is shut down, after a network that ended without such a record
  $ snapshot-assemble restore snapshots/snapshot-1700000640000 --to jsonl --out accounts.jsonl --partitions -1,0-3
      writes the accounts of five partitions, one per line
`;

export async function runRestore(directory: string, flags: RestoreFlags, io: Io): Promise<Outcome> {
  const options = libraryOptionsOf("restore", flags, io.env);
  const { restore } = await import("../../app/restore.ts");
  const reporter = reporterOf(flags, io);
  const result = await restore(directory, { ...options, signal: io.signal, reporter });
  return { summary: { ...result }, lines: () => describeResult(result) };
}

function describeResult({ to, snapshot, accounts, file, keptFile, nextSteps }: RestoreResult): string[] {
  const { timestamp, cycle, networkHash } = snapshot;
  return [
    file === null ? "dry run       nothing was put in place" : `restored      ${file}`,
    ...(keptFile === null ? [] : [`old database  ${keptFile}`]),
    `snapshot      ${timestamp}, the end of cycle ${cycle}`,
    `accounts      ${formatCounted(accounts.total, "account")}, ${formatCount(accounts.global)} of them global; all read back`,
    `network hash  ${networkHash}${to === "archiver" ? ", recomputed from what was read back" : ""}`,
    ...(nextSteps.length === 0 ? [] : ["what to do now:"]),
    ...nextSteps.map((step, index) => `  ${index + 1}. ${step}`),
  ];
}
