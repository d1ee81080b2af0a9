/** Converts the head of a response to the outcome of its request. */

import type { Dispatcher } from "undici";
import { FetchError } from "../../errors/fetch-error.ts";
import { errorBodyBytesMax } from "../../limits/http.ts";
import { parseJson, quoted } from "../../wire/parse.ts";
import { type BodyRules, responseBody } from "./response-body.ts";
import { retryAfterMs } from "./retry-after.ts";

/**
 * Redirects are never followed: the response of another server must not count as the node's own.
 *
 * @param okStatus accepted beside 200
 * @throws FetchError for any other status, with the beginning of the body
 */
export async function requireOk(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  rules: Pick<BodyRules, "stallTimeoutMs" | "onBytes">,
  okStatus: 200 | 206 = 200,
): Promise<void> {
  if (statusCode === 200 || statusCode === okStatus) return;
  if (statusCode >= 300 && statusCode < 400) {
    const location = quoted(String(headers["location"] ?? "nowhere"));
    throw new FetchError("redirect", `a redirect (${statusCode}) to ${location}, which is not followed`, {
      status: statusCode,
    });
  }
  const reason = await beginningOf(responseBody(body, "identity", rules));
  const waitMs = retryAfterMs(headers, Date.now());
  throw new FetchError("status", `status ${statusCode}${reason === "" ? "" : `: ${quoted(reason)}`}`, {
    status: statusCode,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/**
 * Returns the offset of the first byte of a response to a request for the bytes from `start` on: 0 for a 200 response,
 * which has all of them.
 *
 * @throws FetchError `not-http` for a 206 response with other bytes
 */
export function firstByteOf({ statusCode, headers }: Dispatcher.ResponseData, start: number): number {
  if (statusCode === 200) return 0;
  const range = String(headers["content-range"] ?? "");
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(range) ?? [];
  const isToEnd = total === "*" || Number(last) === Number(total) - 1;
  if (Number(first) === start && Number(last) >= start && isToEnd) return start;
  const problem = `the bytes from ${start} on were requested, and the response's range is ${quoted(range)}`;
  throw new FetchError("not-http", problem);
}

/** The `error` field of an error body, or the beginning of the body. Failures are ignored: the text is only for messages. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > errorBodyBytesMax) break;
    }
    const { error } = parseJson(text, "error body") as { error?: unknown };
    return typeof error === "string" ? error : text;
  } catch {
    return text;
  }
}
