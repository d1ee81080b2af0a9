/** Decides whether the result of a replay may be put in place. */

import { SnapshotError, type SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import { counted } from "../../text/counted.ts";
import type { DoubtfulReceipt, Gap, Listed, ReplayReport } from "./replay-report.ts";

interface Refusal {
  readonly code: SnapshotErrorCode;
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string;
}

/**
 * @throws SnapshotError `verification` for receipts that contradict themselves, that nothing proves or that contradict what
 *   is stored; `incomplete` if receipts are missing
 */
export function requireUsable(report: ReplayReport, acceptsUnverified: boolean): void {
  const refusal = refusalOf(report, acceptsUnverified);
  if (refusal === undefined) return;
  const { code, message, details, hint } = refusal;
  throw new SnapshotError(code, `${message}; nothing was replaced`, { details, hint });
}

/** A receipt that is left out makes others look as if one were missing, so the causes come first. */
function refusalOf(report: ReplayReport, acceptsUnverified: boolean): Refusal | undefined {
  const { contradicting, unverified, conflicts, gaps } = report;
  if (contradicting.count > 0) {
    return {
      code: "verification",
      message: `${counted(contradicting.count, "receipt")} cannot be used`,
      details: detailsOf(contradicting, describeReceipt),
      hint: "Get these receipts from another archiver: nothing makes what they state right.",
    };
  }
  if (unverified.count > 0 && !acceptsUnverified) {
    return {
      code: "verification",
      message: `nothing proves ${counted(unverified.count, "receipt")}`,
      details: detailsOf(unverified, describeReceipt),
      hint: "Use the databases of another archiver; or accept such receipts with --unverified-receipts, if you trust this archiver. Check --nodes-per-consensus-group.",
    };
  }
  if (conflicts.count > 0) {
    return {
      code: "verification",
      message: `${counted(conflicts.count, "account")} would have two states of one time`,
      details: detailsOf(conflicts, describeGap),
      hint: "The snapshot and the receipts contradict each other: check that they are of one network.",
    };
  }
  if (gaps.count === 0) return undefined;
  return {
    code: "incomplete",
    message: `receipts are missing: ${counted(gaps.count, "change")} ${gaps.count === 1 ? "does" : "do"} not follow the state before`,
    details: detailsOf(gaps, describeGap),
    hint: "Get the receipts of these cycles from another archiver, or stop before the first gap with --to-cycle.",
  };
}

function detailsOf<T>({ count, shown }: Listed<T>, describe: (item: T) => string): string[] {
  const details = shown.map(describe);
  if (count > shown.length) details.push(`and ${count - shown.length} more`);
  return details;
}

function describeReceipt({ receiptId, cycle, reason }: DoubtfulReceipt): string {
  return `receipt ${receiptId} of cycle ${cycle}: ${reason}`;
}

function describeGap({ receiptId, cycle, accountId, hashBefore, storedHash }: Gap): string {
  return `account ${accountId}: transaction ${receiptId} of cycle ${cycle} follows the state ${hashBefore}, but the state before it is ${storedHash}`;
}
