/** Parses `Retry-After`, the time that a server asks its client to wait. */

/** Larger numbers are not seconds until the reset: some servers send the time of the reset as a Unix timestamp. */
const secondsMax = 1_000_000_000;

/**
 * `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). The rate limiter of the published archiver
 * (fastify's plugin, 7.6) sends its window in **milliseconds**, together with `x-ratelimit-reset`, the rest of that
 * window in seconds. A number beyond the reset makes no sense in seconds, so it is in milliseconds.
 *
 * @returns milliseconds; `undefined` if the header is missing or malformed
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number,
): number | undefined {
  const text = first(headers["retry-after"]);
  if (text === undefined) return undefined;
  if (!isNumber(text)) {
    const date = Date.parse(text);
    return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
  }
  const reset = first(headers["x-ratelimit-reset"]);
  const isReset = reset !== undefined && isNumber(reset) && Number(reset) < secondsMax;
  // Both are rounded.
  return isReset && Number(text) > Number(reset) + 1 ? Number(text) : Number(text) * 1000;
}

function isNumber(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text);
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
