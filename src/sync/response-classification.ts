/** What an answer says about the node that sent it. */

import type { ResponseReport } from "../artifact/receive-response.ts";
import { FetchError, type FetchErrorKind } from "../errors/fetch-error.ts";
import { ResponseError, type ResponseErrorKind } from "../errors/response-error.ts";
import type { Offence, OffenceKind } from "../events/assemble-events.ts";
import { counted } from "../text/counted.ts";

/** A node that is down, busy or cut off has not done anything wrong. */
const fetchOffences: Readonly<Record<FetchErrorKind, OffenceKind | undefined>> = {
  unreachable: undefined,
  tls: undefined,
  stalled: "stalled-answer",
  reset: undefined,
  status: undefined,
  redirect: "redirect",
  "not-http": "malformed-answer",
  "too-large": "oversized-answer",
  "not-asked": undefined,
  aborted: undefined,
};

const answerOffences: Readonly<Record<ResponseErrorKind, OffenceKind | undefined>> = {
  malformed: "malformed-answer",
  truncated: "truncated-answer",
  "too-large": "oversized-answer",
  // Whether a partition is too large, only the right one tells: that is said when it is known.
  "over-budget": undefined,
};

export function offencesOf(node: string, report: ResponseReport): Offence[] {
  const offences: Offence[] = report.wrong.map(({ partition, expected, got, accounts, conflict }) =>
    conflict === undefined
      ? {
          node,
          kind: "wrong-partition",
          partition,
          detail: `expected ${expected}, got ${got} of ${counted(accounts, "account")}`,
        }
      : {
          node,
          kind: "contradicting-account",
          partition,
          detail: `account ${conflict} was sent twice, differently`,
        },
  );
  for (const partition of report.superfluous) {
    const detail = "more accounts came after those that have the agreed hash";
    offences.push({ node, kind: "superfluous-account", partition, detail });
  }
  if (report.foreignAccounts > 0) {
    const detail = `${counted(report.foreignAccounts, "account")} of partitions that it does not store`;
    offences.push({ node, kind: "foreign-accounts", detail });
  }
  if (report.duplicateAccounts > 0) {
    offences.push({
      node,
      kind: "duplicate-accounts",
      detail: `${counted(report.duplicateAccounts, "account")} sent twice`,
    });
  }
  const kind = kindOf(report.error);
  if (kind !== undefined) {
    offences.push({ node, kind, detail: (report.error as Error).message });
  }
  return offences;
}

function kindOf(error: unknown): OffenceKind | undefined {
  if (error instanceof ResponseError) return answerOffences[error.kind];
  return error instanceof FetchError ? fetchOffences[error.kind] : undefined;
}

/** The outcome of a query in a word or two. */
export function outcomeOf({ error, wrong }: ResponseReport): string {
  if (error instanceof FetchError) return error.status === undefined ? error.kind : `status ${error.status}`;
  if (error instanceof ResponseError) return error.kind;
  return wrong.length > 0 ? "wrong" : "complete";
}
