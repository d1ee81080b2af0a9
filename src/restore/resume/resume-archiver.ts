/**
 * Restores a snapshot to the database of an archiver, and replays the receipts after it before the database is put in
 * place: all of it or nothing.
 */

import { join } from "node:path";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { statsOf } from "../../store/own-files.ts";
import { counted } from "../../text/counted.ts";
import type { AccountHashRule } from "../account-hash.ts";
import { ARCHIVER_CYCLES_FILE, requireIdle, requireIdleFile } from "../archiver/archiver-folder.ts";
import { requireCycles } from "../archiver/shutdown-record.ts";
import type { VerifiedSnapshot } from "../read-snapshot.ts";
import { performInChild } from "../restore-child.ts";
import {
  type ArchiverRestore,
  type ArchiverRestoreOptions,
  restoreToArchiver,
} from "../restore-to-archiver.ts";
import type { MeasuredState } from "./measure-state.ts";
import type { Replayed, ReplayStart } from "./replay.ts";
import type { ReplayReport } from "./replay-report.ts";
import { requireUsable } from "./usable-replay.ts";

export interface ArchiverResumeOptions
  extends Omit<ArchiverRestoreOptions, "complete" | "archiversAtShutdown"> {
  /** The archiver's database of receipts. */
  readonly receipts: string;
  readonly toCycle: number | null;
  readonly rules: readonly AccountHashRule[];
  /** Whether receipts that nothing proves are applied. */
  readonly acceptsUnverified: boolean;
  /** Called with what the replay found, also if it is refused then. */
  readonly onReplayed: (report: ReplayReport) => void;
}

export interface ArchiverResume {
  readonly restored: ArchiverRestore;
  readonly report: ReplayReport;
  readonly state: MeasuredState;
}

/**
 * @throws SnapshotError `verification` if a receipt is not proved or contradicts what is stored, `incomplete` if one is
 *   missing, `chain` if the archiver's records do not continue the snapshot's; and as `restoreToArchiver`
 */
export async function resumeArchiver(
  snapshot: VerifiedSnapshot,
  from: ReplayStart,
  options: ArchiverResumeOptions,
): Promise<ArchiverResume> {
  const { folder, receipts, onReplayed, acceptsUnverified } = options;
  await requireIdle(folder, options);
  await requireReceipts(receipts, options);
  requireCycles(join(folder, ARCHIVER_CYCLES_FILE));
  let resumed: Omit<ArchiverResume, "restored"> | undefined;
  const complete = async (path: string) => {
    const replayed = await replayInto(path, from, options);
    onReplayed(replayed.report);
    requireUsable(replayed.report, acceptsUnverified);
    const state = await measure(path, snapshot, replayed, options);
    resumed = { report: replayed.report, state };
    return state.summary;
  };
  const restored = await restoreToArchiver(snapshot, { ...options, complete });
  if (resumed === undefined) throw new Error("a restore ended without its replay");
  return { restored, ...resumed };
}

async function requireReceipts(path: string, options: ArchiverResumeOptions): Promise<void> {
  if ((await statsOf(path)) === undefined) {
    throw new SnapshotError("configuration", `${path} does not exist`, {
      hint: "Give the receipts.sqlite3 in the folder of an archiver's databases.",
    });
  }
  await requireIdleFile(path, options);
}

async function replayInto(
  path: string,
  from: ReplayStart,
  { folder, receipts, toCycle, rules, reporter, signal }: ArchiverResumeOptions,
): Promise<Replayed> {
  const until = toCycle === null ? "" : ` up to cycle ${toCycle}`;
  reporter.report({ type: "step", step: "replay", message: `replaying the receipts in ${receipts}${until}` });
  const cycles = join(folder, ARCHIVER_CYCLES_FILE);
  return await performInChild<"replay">(
    { kind: "replay", path, receipts, cycles, from, toCycle, rules, nowMs: Date.now() },
    {
      signal,
      // What SQLite sorts is a part of the receipts: beside them or the target is the space.
      scratchDirectory: folder,
      onReceipts: (done, total) => reporter.report({ type: "replayed", receipts: done, total }),
    },
  );
}

async function measure(
  path: string,
  { agreed }: VerifiedSnapshot,
  { rowsBefore, numNodes, report }: Replayed,
  { rules, reporter, signal }: ArchiverResumeOptions,
): Promise<MeasuredState> {
  const { applied } = report.receipts;
  const message = `reading the database back after ${counted(applied, "receipt")}`;
  reporter.report({ type: "step", step: "measure", message });
  const partitions = numNodes ?? agreed.hashes.length - 1;
  return await performInChild<"measure">(
    { kind: "measure", path, hashKey: agreed.hashKey, numNodes: partitions, rowsBefore, rules },
    { signal },
  );
}
