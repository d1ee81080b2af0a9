import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../../src/fetch/http/retry-after.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");

describe("the wait that a server asks for", () => {
  it.each([
    { id: "seconds", headers: { "retry-after": "3" }, ms: 3_000 },
    { id: "a date", headers: { "retry-after": "Thu, 01 Jan 2026 00:00:05 GMT" }, ms: 5_000 },
    { id: "a date in the past", headers: { "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" }, ms: 0 },
    { id: "the first of several", headers: { "retry-after": ["2", "9"] }, ms: 2_000 },
    { id: "a missing header", headers: {}, ms: undefined },
    { id: "a malformed header", headers: { "retry-after": "soon" }, ms: undefined },
    {
      id: "the published archiver's window of ten milliseconds",
      headers: { "retry-after": "10", "x-ratelimit-reset": "0" },
      ms: 10,
    },
    {
      id: "a window of a minute in milliseconds",
      headers: { "retry-after": "60000", "x-ratelimit-reset": "59" },
      ms: 60_000,
    },
    {
      id: "the same number of seconds as until the reset",
      headers: { "retry-after": "30", "x-ratelimit-reset": "30" },
      ms: 30_000,
    },
    {
      id: "seconds that are rounded up and a reset that is rounded down",
      headers: { "retry-after": "2", "x-ratelimit-reset": "1" },
      ms: 2_000,
    },
    {
      id: "seconds and the Unix time of the reset",
      headers: { "retry-after": "30", "x-ratelimit-reset": "1767225630" },
      ms: 30_000,
    },
  ])("is parsed from $id", ({ headers, ms }) => {
    expect(retryAfterMs(headers, nowMs)).toBe(ms);
  });
});
