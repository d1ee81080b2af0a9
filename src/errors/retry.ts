/** Decides whether and when a request is repeated after a failure. A pure function. */

import { attemptsMax, backoffFirstMs, backoffLastMs, retryAfterMaxMs } from "../limits/http.ts";
import type { FetchError } from "./fetch-error.ts";

export type RetryDecision = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/** Statuses of a temporary failure (PROTOCOL.md, Partial snapshots), those of a gateway included. */
const temporaryStatuses = new Set([425, 429, 500, 502, 503, 504]);

/**
 * @param failuresSoFar failures of this node, this one included
 * @param random in [0, 1): the jitter, which spreads the retries of many clients
 */
export function decideRetry(failure: FetchError, failuresSoFar: number, random: number): RetryDecision {
  return isTemporary(failure) ? retryLater(failure.retryAfterMs, failuresSoFar, random) : { retry: false };
}

/**
 * Decides when a request is repeated after a temporary failure.
 *
 * @param retryAfterMs the delay that the node asked for
 * @param failuresSoFar failures of this node, this one included
 * @param random in [0, 1): the jitter
 */
export function retryLater(
  retryAfterMs: number | undefined,
  failuresSoFar: number,
  random: number,
): RetryDecision {
  if (failuresSoFar >= attemptsMax) return { retry: false };
  const backoffMs = Math.min(backoffFirstMs * 2 ** (failuresSoFar - 1), backoffLastMs);
  const jitteredMs = backoffMs * (0.5 + random / 2);
  if (retryAfterMs === undefined) return { retry: true, delayMs: jitteredMs };
  if (retryAfterMs > retryAfterMaxMs) return { retry: false };
  return { retry: true, delayMs: Math.max(retryAfterMs, jitteredMs) };
}

export function isTemporaryStatus(status: number | undefined): boolean {
  return status !== undefined && temporaryStatuses.has(status);
}

function isTemporary(failure: FetchError): boolean {
  switch (failure.kind) {
    case "unreachable":
    case "stalled":
    case "reset":
      return true;
    case "status":
      return isTemporaryStatus(failure.status);
    case "tls":
    case "redirect":
    case "not-http":
    case "too-large":
    case "not-asked":
    case "aborted":
      return false;
  }
}
