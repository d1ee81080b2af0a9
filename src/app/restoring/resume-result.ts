/** The result of resuming, and its report as a file. */

import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError, messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import type { Cycle, HashHex } from "../../protocol/brands.ts";
import type { ReplayReport } from "../../restore/resume/replay-report.ts";
import { syncPath, writeSynced } from "../../store/durable.ts";
import { counted } from "../../text/counted.ts";

export interface ResumeResult {
  readonly snapshot: {
    readonly directory: string;
    /** Milliseconds. */
    readonly timestamp: number;
    readonly cycle: Cycle;
    readonly networkHash: HashHex;
    readonly digest: string;
  };
  /** What the receipts are, and which of them were applied. */
  readonly replay: ReplayReport;
  readonly accounts: { readonly total: number; readonly global: number; readonly changed: number };
  readonly state: ResumedState;
  /** The archiver's database; null in a dry run. */
  readonly file: string | null;
  /** The new name of the database that was replaced. */
  readonly keptFile: string | null;
  readonly warnings: readonly string[];
  /** What the operator has to do now. */
  readonly nextSteps: readonly string[];
}

/** The state after the last receipt. */
export interface ResumedState {
  /** That of the last receipt, or the snapshot's. */
  readonly cycle: number;
  readonly networkHash: string;
  /** Partition → its hash, of as many partitions as the last cycle has nodes. */
  readonly partitionHashes: Readonly<Record<string, string>>;
  /** Whether the validators agreed on this network hash at the end of the cycle; null if nothing states what they did. */
  readonly isAgreed: boolean | null;
}

/** Returns the warnings about what was applied without a doubt being refused. */
export function replayWarnings({ unverified, gaps, accounts }: ReplayReport): string[] {
  const warnings: string[] = [];
  const named = <T extends { receiptId: string }>({ shown }: { shown: readonly T[] }) =>
    shown
      .slice(0, 3)
      .map(({ receiptId }) => receiptId)
      .join(", ");
  if (unverified.count > 0)
    warnings.push(
      `nothing proves ${counted(unverified.count, "receipt")} that were applied: ${named(unverified)}`,
    );
  if (accounts.created.count > 0)
    warnings.push(
      `${counted(accounts.created.count, "account")} the snapshot does not have: whether a receipt before the first one of each is missing cannot be seen`,
    );
  if (accounts.unlinked.count > 0)
    warnings.push(
      `${counted(accounts.unlinked.count, "change")} of global accounts whose receipts do not state the hash before: ${named(accounts.unlinked)}`,
    );
  if (accounts.timeless.count > 0)
    warnings.push(
      `${counted(accounts.timeless.count, "account")} without a time that were not written: ${named(accounts.timeless)}`,
    );
  if (gaps.count > 0) throw new RangeError("a replay with gaps has no result");
  return warnings;
}

/** Replaces a report file. @throws SnapshotError `disk` */
export async function writeReport(path: string, report: object): Promise<void> {
  const aside = `${path}.writing`;
  await rm(aside, { force: true });
  await writeSynced(aside, `${JSON.stringify(report, null, 2)}\n`);
  try {
    await rename(aside, path);
    await syncPath(dirname(path));
  } catch (error) {
    throw diskError(`cannot place ${path}`, error);
  }
}

/** Returns the failure of a run for its report. */
export function failureOf(error: unknown): object {
  if (!(error instanceof SnapshotError)) return { code: null, message: messageOf(error) };
  const { code, message, details, hint } = error;
  return { code, message, details, hint: hint ?? null };
}
