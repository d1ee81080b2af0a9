import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FetchError, type FetchErrorKind } from "../../src/errors/fetch-error.ts";
import { decideRetry } from "../../src/errors/retry.ts";
import { attemptsMax, backoffFirstMs, backoffLastMs, retryAfterMaxMs } from "../../src/limits/http.ts";
import { seeded } from "../helpers/seeded.ts";

const failure = (kind: FetchErrorKind, detail: { status?: number; retryAfterMs?: number } = {}) =>
  new FetchError(kind, "a failure", detail);
const almostOne = 1 - Number.EPSILON;

describe("a node that failed", () => {
  it.each([
    { id: "unreachable", of: failure("unreachable"), retry: true },
    { id: "stalled", of: failure("stalled"), retry: true },
    { id: "reset", of: failure("reset"), retry: true },
    { id: "redirect", of: failure("redirect", { status: 307 }), retry: false },
    { id: "not-http", of: failure("not-http"), retry: false },
    { id: "too-large", of: failure("too-large"), retry: false },
    { id: "aborted", of: failure("aborted"), retry: false },
    ...[425, 429, 500, 502, 503, 504].map((status) => ({
      id: `${status}`,
      of: failure("status", { status }),
      retry: true,
    })),
    ...[204, 400, 401, 403, 404, 410, 501].map((status) => ({
      id: `${status}`,
      of: failure("status", { status }),
      retry: false,
    })),
  ])("by $id is requested again: $retry", ({ of, retry }) => {
    expect(decideRetry(of, 1, 0.5).retry).toBe(retry);
  });

  it("is not requested more often than there are attempts", () => {
    expect(decideRetry(failure("reset"), attemptsMax - 1, 0).retry).toBe(true);
    expect(decideRetry(failure("reset"), attemptsMax, 0)).toEqual({ retry: false });
    expect(decideRetry(failure("reset"), attemptsMax + 5, 0)).toEqual({ retry: false });
  });

  it("is left in peace for twice as long each time, between half of that and all of it", () => {
    const expected = Array.from({ length: attemptsMax - 1 }, (_, index) =>
      Math.min(backoffFirstMs * 2 ** index, backoffLastMs),
    );
    for (const [index, delayMs] of expected.entries()) {
      expect(decideRetry(failure("reset"), index + 1, 0)).toEqual({ retry: true, delayMs: delayMs / 2 });
      expect(decideRetry(failure("reset"), index + 1, almostOne)).toEqual({
        retry: true,
        delayMs: expect.closeTo(delayMs, 5),
      });
    }
  });

  it("is not queried before the time that it named, nor at all if that time is too far away", () => {
    const busy = (retryAfterMs: number) => failure("status", { status: 503, retryAfterMs });
    expect(decideRetry(busy(5_000), 1, 0)).toEqual({ retry: true, delayMs: 5_000 });
    expect(decideRetry(busy(retryAfterMaxMs), 1, 0)).toEqual({ retry: true, delayMs: retryAfterMaxMs });
    expect(decideRetry(busy(retryAfterMaxMs + 1), 1, 0)).toEqual({ retry: false });
    // No sooner than without it, or many clients would come back at once.
    expect(decideRetry(busy(0), 1, 0)).toEqual({ retry: true, delayMs: backoffFirstMs / 2 });
  });

  it("waits within bounds, whatever happens", () => {
    const random = fc.double({ min: 0, max: almostOne, noNaN: true });
    const retryAfter = fc.option(fc.nat(10 * retryAfterMaxMs), { nil: undefined });
    const property = fc.property(
      fc.integer({ min: 1, max: 10 }),
      random,
      retryAfter,
      (failures, jitter, retryAfterMs) => {
        const detail = retryAfterMs === undefined ? { status: 503 } : { status: 503, retryAfterMs };
        const decision = decideRetry(failure("status", detail), failures, jitter);
        if (!decision.retry) return;
        expect(decision.delayMs).toBeGreaterThanOrEqual(Math.max(backoffFirstMs / 2, retryAfterMs ?? 0));
        expect(decision.delayMs).toBeLessThanOrEqual(Math.max(backoffLastMs, retryAfterMaxMs));
      },
    );
    fc.assert(property, seeded(500));
  });
});
