/**
 * What each error costs the peer whose response it ended. The tables are exhaustive, and recovery.ts follows them. What
 * offences of earlier runs cost a peer is in record-rank.ts.
 */

import type { ResponseReport } from "../../artifact/response-report.ts";
import { FetchError, type FetchErrorKind } from "../../errors/fetch-error.ts";
import type { OffenceKind } from "../../errors/offence.ts";
import type { ResponseErrorKind } from "../../errors/response-error.ts";

export interface ErrorCost {
  /** What the peer is blamed for; `undefined` where an honest peer may fail in the same way. */
  readonly offence: OffenceKind | undefined;
  /**
   * Whether the peer is requested again. `backoff`: after a pause, until its attempts are used up; `status`: the same
   * if its HTTP status is a temporary one; `uncounted`: after a pause, without using up an attempt, since what it is
   * excluded from bounds the repetitions; `never`: not in this run.
   */
  readonly retry: "status" | "backoff" | "uncounted" | "never";
  /**
   * What the peer is excluded from. `broken-partition`: the partition that it cannot send, or every partition where that
   * one is unknown; `outgrown`: the partitions that it sent too many bytes for.
   */
  readonly excludes: "none" | "broken-partition" | "outgrown";
}

/** A peer that is down, busy or cut off has done nothing wrong. */
const passing: ErrorCost = { offence: undefined, retry: "backoff", excludes: "none" };
const lasting: ErrorCost = { offence: undefined, retry: "never", excludes: "none" };

export const fetchErrorCosts: Readonly<Record<FetchErrorKind, ErrorCost>> = {
  unreachable: passing,
  reset: passing,
  stalled: { ...passing, offence: "stalled-answer" },
  status: { ...passing, retry: "status" },
  tls: lasting,
  "not-asked": lasting,
  aborted: lasting,
  redirect: { ...lasting, offence: "redirect" },
  "not-http": { ...lasting, offence: "malformed-answer" },
  "too-large": { ...lasting, offence: "oversized-answer" },
};

export const responseErrorCosts: Readonly<Record<ResponseErrorKind, ErrorCost>> = {
  // A partition that the peer cannot send now, it cannot send later; its other partitions may be fine.
  malformed: { offence: "malformed-answer", retry: "backoff", excludes: "broken-partition" },
  "too-large": { offence: "oversized-answer", retry: "backoff", excludes: "broken-partition" },
  truncated: { offence: "truncated-answer", retry: "backoff", excludes: "none" },
  // The size of a partition is unknown until its hash is confirmed: the offence follows then.
  "over-budget": { offence: undefined, retry: "uncounted", excludes: "outgrown" },
};

/** Returns what the error that ended a response costs its peer. */
export function costOf(error: Extract<ResponseReport["end"], { kind: "failed" }>["error"]): ErrorCost {
  return error instanceof FetchError ? fetchErrorCosts[error.kind] : responseErrorCosts[error.kind];
}
