/** Resumes from a published snapshot: restores it to an archiver, with the receipts of the transactions after it. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RestoreEvent, RestoreReporter } from "../events/restore-events.ts";
import { path as pathKind } from "../options/kinds.ts";
import { type OptionChecks, requireOptions } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import { resumeTable } from "../options/resume-table.ts";
import { asCycle } from "../protocol/brands.ts";
import { AccountHashCounter, type AccountHashRule, accountHashRules } from "../restore/account-hash.ts";
import { readSnapshot } from "../restore/read-snapshot.ts";
import { servingWarnings } from "../restore/restore-to-archiver.ts";
import type { ReplayReport } from "../restore/resume/replay-report.ts";
import { type ArchiverResume, resumeArchiver } from "../restore/resume/resume-archiver.ts";
import { readReplayStart } from "../restore/resume/snapshot-start.ts";
import type { VerifyOptions } from "../verify/check-snapshot.ts";
import { hashWarnings, nextStepsOfResume } from "./restoring/advice.ts";
import {
  failureOf,
  type ResumedState,
  type ResumeResult,
  replayWarnings,
  writeReport,
} from "./restoring/resume-result.ts";
import { requireVerified } from "./restoring/verified.ts";

export type { ResumeResult };

export interface ResumeOptions extends Omit<VerifyOptions, "subset"> {
  /** The database of receipts of an archiver. */
  readonly receipts: string;
  /** The folder of the archiver's databases. */
  readonly archiverDb: string;
  /** The last cycle whose receipts are applied. */
  readonly toCycle?: number | undefined;
  /** Whether receipts that nothing proves are applied. */
  readonly unverifiedReceipts?: boolean | undefined;
  /** A file for the report. */
  readonly report?: string | undefined;
  /** A hash database with the network hash of the last cycle. */
  readonly hashDb?: string | undefined;
  /** The URL of the archiver, which must not answer. */
  readonly archiver?: string | undefined;
  /** Whether an archiver that seems to run has crashed. */
  readonly force?: boolean | undefined;
  /** Whether nothing is replaced. */
  readonly dryRun?: boolean | undefined;
  readonly accountHash?: AccountHashRule | "auto" | undefined;
  readonly reporter?: RestoreReporter | undefined;
}

const resumeChecks: OptionChecks<ResumeOptions> = checksOf(resumeTable);

/**
 * Verifies a published snapshot, writes its accounts aside as the database of an archiver, applies the receipts of the
 * transactions after it, reads everything back, and puts it in place: all of it or nothing.
 *
 * @throws SnapshotError `verification` also for a receipt that is not proved, or contradicts itself or the snapshot;
 *   `incomplete` if a receipt is missing; `chain` if the archiver's cycle records do not continue the snapshot's; and as
 *   `restore`
 */
export async function resume(directory: string, options: ResumeOptions): Promise<ResumeResult> {
  requireOptions("resume", options, resumeChecks);
  if (!pathKind.accepts(directory)) {
    throw new SnapshotError("usage", `resume(): invalid directory: expected ${pathKind.expected}`);
  }
  const found: { replay: ReplayReport | null } = { replay: null };
  try {
    const result = await resumeFrom(directory, options, (replay) => {
      found.replay = replay;
    });
    if (options.report !== undefined) await writeReport(options.report, { ...result, failure: null });
    return result;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (options.report !== undefined && error instanceof SnapshotError && error.code !== "usage")
      await writeReport(options.report, { replay: found.replay, failure: failureOf(error) });
    throw error;
  }
}

async function resumeFrom(
  directory: string,
  options: ResumeOptions,
  onReplayed: (replay: ReplayReport) => void,
): Promise<ResumeResult> {
  const warnings: string[] = [];
  const reporter: RestoreReporter = {
    report: (event: RestoreEvent) => {
      if (event.type === "warning") warnings.push(event.message);
      options.reporter?.report(event);
    },
  };
  reporter.report({ type: "step", step: "verify", message: `verifying ${directory}` });
  const { cycle, networkHash, digest } = await requireVerified(directory, options, "restore");
  const snapshot = await readSnapshot(directory, digest);
  const from = await readReplayStart(directory, snapshot, options.nodesPerConsensusGroup);
  const rule = options.accountHash ?? resumeTable.accountHash.default;
  const rules = rule === "auto" ? accountHashRules : [rule];
  const hashes = new AccountHashCounter(snapshot.agreed.hashKey, rules);
  const { archiver, force, dryRun, signal, receipts, toCycle, unverifiedReceipts } = options;
  const resumed = await resumeArchiver(snapshot, from, {
    ...{ archiver, force, dryRun, signal, hashes, reporter, receipts, rules, onReplayed },
    folder: options.archiverDb,
    toCycle: toCycle ?? null,
    acceptsUnverified: unverifiedReceipts === true,
  });
  const state = await resumedState(resumed, cycle, options.hashDb);
  const { restored, report } = resumed;
  for (const message of [
    ...hashWarnings(hashes),
    ...servingWarnings(restored, report.receipts.applied === 0),
    ...replayWarnings(report),
    ...(state.isAgreed === false
      ? [`the validators agreed on another network hash at the end of cycle ${state.cycle}`]
      : []),
  ]) {
    reporter.report({ type: "warning", message });
  }
  const done = restored.file === null ? "dry run: nothing was put in place" : `resumed ${restored.file}`;
  reporter.report({ type: "step", step: "done", message: done });
  return {
    snapshot: { directory, timestamp: snapshot.timestamp, cycle, networkHash, digest },
    replay: report,
    accounts: {
      total: restored.accounts,
      global: restored.globalAccounts,
      changed: resumed.state.changed,
    },
    state,
    file: restored.file,
    keptFile: restored.keptFile,
    warnings,
    nextSteps: restored.file === null ? [] : nextStepsOfResume(restored, snapshot.txList),
  };
}

async function resumedState(
  { report, state }: ArchiverResume,
  snapshotCycle: number,
  hashDb: string | undefined,
): Promise<ResumedState> {
  const cycle = report.last?.cycle ?? snapshotCycle;
  const { networkHash, hashes } = state;
  const agreed = hashDb === undefined ? undefined : await agreedHash(hashDb, cycle);
  return {
    cycle,
    networkHash,
    partitionHashes: Object.fromEntries(hashes),
    isAgreed: agreed === undefined ? null : agreed === networkHash,
  };
}

async function agreedHash(path: string, cycle: number): Promise<string | undefined> {
  const { HashDatabase } = await import("../store/hash-database/hash-database.ts");
  const database = HashDatabase.open(path, { isReadOnly: true });
  try {
    return database.networkHash(asCycle(cycle));
  } finally {
    database.close();
  }
}
