/** Whether a node is asked again after a failure, and when: a pure function. */

import { attemptsMax, backoffFirstMs, backoffLastMs, retryAfterMaxMs } from "../limits/http.ts";
import type { FetchError } from "./fetch-error.ts";

export type RetryDecision = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/** The statuses that say "later" (PROTOCOL.md, Partial snapshots); a gateway's are as passing. */
const passingStatuses = new Set([425, 429, 500, 502, 503, 504]);

/**
 * @param failuresSoFar of this node, this one included
 * @param random in [0, 1): the jitter, so that many clients do not come back at once
 */
export function decideRetry(failure: FetchError, failuresSoFar: number, random: number): RetryDecision {
  if (failuresSoFar >= attemptsMax || !isPassing(failure)) return { retry: false };
  const backoffMs = Math.min(backoffFirstMs * 2 ** (failuresSoFar - 1), backoffLastMs);
  const jitteredMs = backoffMs * (0.5 + random / 2);
  if (failure.retryAfterMs === undefined) return { retry: true, delayMs: jitteredMs };
  if (failure.retryAfterMs > retryAfterMaxMs) return { retry: false };
  return { retry: true, delayMs: Math.max(failure.retryAfterMs, jitteredMs) };
}

function isPassing(failure: FetchError): boolean {
  switch (failure.kind) {
    case "unreachable":
    case "stalled":
    case "reset":
      return true;
    case "status":
      return failure.status !== undefined && passingStatuses.has(failure.status);
    case "tls":
    case "redirect":
    case "not-http":
    case "too-large":
    case "not-asked":
    case "aborted":
      return false;
  }
}
