/**
 * What each error costs the peer whose response it ended. The table is exhaustive; everything else reads it.
 */

import type { FetchErrorKind } from "../errors/fetch-error.ts";
import type { OffenceKind } from "../errors/offence.ts";
import type { ResponseErrorKind } from "../errors/response-error.ts";

export interface ErrorCost {
  /** What the peer is blamed for; `undefined` where an honest peer may fail in the same way. */
  readonly offence: OffenceKind | undefined;
  /**
   * Whether the peer is requested again. `backoff`: after a pause, as long as it has attempts left; `status`: in the
   * same way, if its HTTP status is one that passes; `never`: not in this run.
   */
  readonly retry: "status" | "backoff" | "never";
  /**
   * What the peer is not requested for again: `none`; `broken-partition`: the partition that it cannot send, and where
   * none can be told, nothing at all; `outgrown`: what it sent too much of.
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
  // What it cannot send now, it cannot send later; but its other partitions may be fine.
  malformed: { offence: "malformed-answer", retry: "backoff", excludes: "broken-partition" },
  "too-large": { offence: "oversized-answer", retry: "backoff", excludes: "broken-partition" },
  truncated: { offence: "truncated-answer", retry: "backoff", excludes: "none" },
  // Whether a partition is too large, only the right one tells: the offence follows when that is known.
  "over-budget": { offence: undefined, retry: "backoff", excludes: "outgrown" },
};
