/** `snapshot-assemble resume <directory>`: restores a snapshot to an archiver, with the receipts after it. */

import type { ResumeOptions, ResumeResult } from "../../app/resume.ts";
import { formatCount, formatCounted } from "../../ui/format.ts";
import type { Io } from "../io.ts";
import { type CommandLineFlags, libraryOptionsOf } from "../library-options.ts";
import type { Outcome } from "../outcome.ts";
import { reporterOf } from "./restore-reporter.ts";

/** The options of the library, and those of the command line. */
export type ResumeFlags = Omit<ResumeOptions, "signal" | "reporter"> & CommandLineFlags;

export const resumeExamples = `Examples:
  $ snapshot-assemble resume snapshots/snapshot-1700000640000 --receipts archiver-db/receipts.sqlite3 --archiver-db archiver-db
      replaces the accounts.sqlite3 of a stopped archiver by the snapshot's accounts and the transactions after it
  $ snapshot-assemble resume snapshots/snapshot-1700000640000 --receipts receipts.sqlite3 --archiver-db archiver-db --dry-run --report report.json
      replays everything, replaces nothing, and writes what it found to a file
`;

export async function runResume(directory: string, flags: ResumeFlags, io: Io): Promise<Outcome> {
  const options = libraryOptionsOf("resume", flags, io.env);
  const { resume } = await import("../../app/resume.ts");
  const reporter = reporterOf(flags, io);
  const result = await resume(directory, { ...options, signal: io.signal, reporter });
  return { summary: { ...result }, lines: () => describeResult(result) };
}

function describeResult(result: ResumeResult): string[] {
  const { snapshot, replay, accounts, state, file, keptFile, nextSteps } = result;
  return [
    file === null ? "dry run       nothing was put in place" : `resumed       ${file}`,
    ...(keptFile === null ? [] : [`old database  ${keptFile}`]),
    `snapshot      ${snapshot.timestamp}, the end of cycle ${snapshot.cycle}`,
    ...describeReplay(result),
    `signed        by the validators that cycle records name, up to record ${replay.newestRecord.counter} with the marker ${replay.newestRecord.marker}: another archiver should have the same`,
    `unverified    ${formatCounted(replay.unverified.count, "receipt")}`,
    `accounts      ${formatCounted(accounts.total, "account")}, ${formatCount(accounts.global)} of them global; ${formatCount(accounts.changed)} differ from the snapshot, ${formatCount(replay.accounts.created.count)} of them new; all read back`,
    `network hash  ${state.networkHash}, ${describeAgreed(state)}`,
    ...(nextSteps.length === 0 ? [] : ["what to do now:"]),
    ...nextSteps.map((step, index) => `  ${index + 1}. ${step}`),
  ];
}

function describeReplay({ replay: { receipts, first, last } }: ResumeResult): string[] {
  const { read, applied, skipped, later } = receipts;
  const beyond = later === 0 ? "" : `; ${formatCount(later)} of later cycles not read`;
  return [
    `receipts      ${formatCount(read)} read, ${formatCount(applied)} applied, ${formatCount(skipped)} skipped because the state has what they state${beyond}`,
    first === null || last === null
      ? "transactions  none after the snapshot"
      : `transactions  from ${first.timestamp} to ${last.timestamp}, up to cycle ${last.cycle}; none is missing between those that are known`,
  ];
}

function describeAgreed({ cycle, isAgreed }: ResumeResult["state"]): string {
  if (isAgreed === null) return `not verified: no agreed hash of cycle ${cycle} is known`;
  return isAgreed
    ? `as the validators agreed for cycle ${cycle}`
    : `not what the validators agreed on for cycle ${cycle}`;
}
