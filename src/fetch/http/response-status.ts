/** Converts the status of a response to the outcome of its request. */

import type { Dispatcher } from "undici";
import { FetchError } from "../../errors/fetch-error.ts";
import { errorBodyBytesMax } from "../../limits/http.ts";
import { parseJson, quoted } from "../../wire/parse.ts";
import { type BodyRules, responseBody } from "./response-body.ts";
import { retryAfterMs } from "./retry-after.ts";

/**
 * Redirects are never followed: the response of another server must not count as the node's own.
 *
 * @throws FetchError for any other status than 200, with the beginning of the body
 */
export async function requireOk(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  rules: Pick<BodyRules, "stallTimeoutMs" | "onBytes">,
): Promise<void> {
  if (statusCode === 200) return;
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
