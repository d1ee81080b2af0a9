/** How long a server asks its client to wait. */

/** The largest number of seconds; some servers send a larger one, which is the moment of a reset. */
const secondsMax = 1_000_000_000;

/**
 * `Retry-After` is seconds or a date (RFC 9110, 10.2.3). The published archiver's rate limiter (fastify's plugin, 7.6)
 * sends its window there in **milliseconds**, beside `x-ratelimit-reset`, the rest of that window in seconds. A number
 * beyond the reset of the limit makes no sense in seconds, so that it is milliseconds.
 *
 * @returns milliseconds; `undefined` where the server sends none
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
