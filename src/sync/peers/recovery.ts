/** What follows from a response that failed: whether its peer is requested again, and for what it is not. */

import type { ResponseReport } from "../../artifact/response-report.ts";
import { FetchError } from "../../errors/fetch-error.ts";
import { decideRetry, type RetryDecision } from "../../errors/retry.ts";
import type { Partition } from "../../protocol/brands.ts";
import { costOf } from "../classify-response.ts";
import { TOO_EARLY } from "./peer-pool.ts";

export interface FailedResponse {
  readonly error: Extract<ResponseReport["end"], { kind: "failed" }>["error"];
  readonly requested: ReadonlySet<Partition>;
  /** The partition of the last account. */
  readonly lastPartition: Partition | undefined;
  /** Whether the response had a partition that outgrew the byte budget. */
  readonly isOutgrown: boolean;
  /** Failures of the peer in a row, this one included. */
  readonly failures: number;
}

export interface Recovery {
  readonly retry: RetryDecision;
  /** The partition that the peer cannot send. */
  readonly broken: Partition | undefined;
  /** Partitions that the peer sent too much for. */
  readonly outgrown: readonly Partition[];
}

/**
 * @param waitsForExports whether a peer that still exports the snapshot is requested again
 * @param random in [0, 1): the jitter of a backoff
 */
export function recoveryOf(failed: FailedResponse, waitsForExports: boolean, random: number): Recovery {
  const { error, requested, failures } = failed;
  const { retry: rule, excludes } = costOf(error);
  const recovery = { retry: { retry: false } as RetryDecision, broken: undefined, outgrown: [] };
  if (excludes === "broken-partition") {
    const broken = brokenPartition(failed);
    if (broken === undefined) return recovery;
    return { ...recovery, broken, retry: decideRetry(brokenOff(error), failures, random) };
  }
  // A long response of which nothing was kept must not arrive again at once either.
  const outgrown = excludes === "outgrown" && !failed.isOutgrown ? [...requested] : [];
  if (rule === "never" || (isTooEarly(error) && !waitsForExports)) return { ...recovery, outgrown };
  const counted = rule === "uncounted" ? 1 : failures;
  return { ...recovery, outgrown, retry: decideRetry(brokenOff(error), counted, random) };
}

/** Returns the partition in which a response broke; `undefined` where it is unknown. */
function brokenPartition({ lastPartition: last, requested }: FailedResponse): Partition | undefined {
  if (last !== undefined && requested.has(last)) return last;
  return requested.size === 1 ? [...requested][0] : undefined;
}

function isTooEarly(error: FailedResponse["error"]): boolean {
  return error instanceof FetchError && error.status === TOO_EARLY;
}

/** A peer whose response is useless is requested again as one that broke off is. */
function brokenOff(error: FailedResponse["error"]): FetchError {
  return error instanceof FetchError ? error : new FetchError("reset", error.message);
}
