/** The outcome of a response, and the offences that it shows: pure functions. */

import type { ResponseReport } from "../artifact/response-report.ts";
import type { Offence } from "../errors/offence.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";
import { counted } from "../text/counted.ts";
import { costOf } from "./peers/error-costs.ts";

/** Returns how a response ended that the run did not cancel. */
export function outcomeOf({ end, mismatched }: ResponseReport): ResponseOutcome {
  if (end.kind === "complete") return mismatched.length > 0 ? "wrong" : "complete";
  const { kind } = end.error;
  // The HTTP library may give up a connection by itself.
  return kind === "aborted" ? "reset" : kind;
}

/** Returns everything in a response that an honest and healthy node does not do. */
export function offencesOf(node: string, report: ResponseReport): Offence[] {
  const { mismatched, superfluous, foreignAccounts, duplicateAccounts, end } = report;
  const offences = mismatched.map((mismatch): Offence => {
    const { partition, expected, got, accounts, conflict } = mismatch;
    if (conflict === undefined) {
      const detail = `expected ${expected}, got ${got} of ${counted(accounts, "account")}`;
      return { node, kind: "wrong-partition", partition, detail };
    }
    const detail = `account ${conflict} was sent twice, differently`;
    return { node, kind: "contradicting-account", partition, detail };
  });
  for (const partition of superfluous) {
    const detail = "more accounts came after those that have the agreed hash";
    offences.push({ node, kind: "superfluous-account", partition, detail });
  }
  if (foreignAccounts > 0) {
    const detail = `${counted(foreignAccounts, "account")} of partitions that it does not store`;
    offences.push({ node, kind: "foreign-accounts", detail });
  }
  if (duplicateAccounts > 0) {
    const detail = `${counted(duplicateAccounts, "account")} sent twice`;
    offences.push({ node, kind: "duplicate-accounts", detail });
  }
  if (end.kind === "failed") {
    const kind = costOf(end.error).offence;
    if (kind !== undefined) offences.push({ node, kind, detail: end.error.message });
  }
  return offences;
}
