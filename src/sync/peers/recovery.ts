/** What follows from a response that failed: whether its peer is requested again, and for what it is not. */

import type { ResponseReport } from "../../artifact/response-report.ts";
import { FetchError } from "../../errors/fetch-error.ts";
import { isTemporaryStatus, type RetryDecision, retryLater } from "../../errors/retry.ts";
import type { Partition } from "../../protocol/brands.ts";
import { costOf, type ErrorCost } from "./error-costs.ts";
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
  const { error, requested } = failed;
  const { retry: rule, excludes } = costOf(error);
  const never: RetryDecision = { retry: false };
  const retry = isTooEarly(error) && !waitsForExports ? never : decide(rule, failed, random);
  if (excludes === "broken-partition") {
    const broken = brokenPartition(failed);
    return { retry: broken === undefined ? never : retry, broken, outgrown: [] };
  }
  // A long response of which nothing was kept must not arrive again at once either.
  const outgrown = excludes === "outgrown" && !failed.isOutgrown ? [...requested] : [];
  return { retry, broken: undefined, outgrown };
}

function decide(
  rule: ErrorCost["retry"],
  { error, failures }: FailedResponse,
  random: number,
): RetryDecision {
  const { status, retryAfterMs } =
    error instanceof FetchError ? error : { status: undefined, retryAfterMs: undefined };
  switch (rule) {
    case "never":
      return { retry: false };
    case "status":
      return isTemporaryStatus(status) ? retryLater(retryAfterMs, failures, random) : { retry: false };
    case "backoff":
      return retryLater(retryAfterMs, failures, random);
    case "uncounted":
      return retryLater(retryAfterMs, 1, random);
  }
}

/** Whether a response ended before its time, and may be right as far as it goes. */
export function isCutOff({ kind }: FailedResponse["error"]): boolean {
  return kind === "reset" || kind === "stalled" || kind === "truncated";
}

/** Returns the partition in which a response broke; `undefined` where it is unknown. */
function brokenPartition({ lastPartition: last, requested }: FailedResponse): Partition | undefined {
  if (last !== undefined && requested.has(last)) return last;
  return requested.size === 1 ? [...requested][0] : undefined;
}

function isTooEarly(error: FailedResponse["error"]): boolean {
  return error instanceof FetchError && error.status === TOO_EARLY;
}
