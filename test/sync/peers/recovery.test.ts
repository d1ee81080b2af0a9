import { describe, expect, it } from "vitest";
import { FetchError } from "../../../src/errors/fetch-error.ts";
import { ResponseError } from "../../../src/errors/response-error.ts";
import { attemptsMax, backoffFirstMs } from "../../../src/limits/http.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { type FailedResponse, type Recovery, recoveryOf } from "../../../src/sync/peers/recovery.ts";
import { asPartitions } from "../../helpers/brands.ts";

const malformed = new ResponseError("malformed", "no list");
const overBudget = new ResponseError("over-budget", "too much");
const tooEarly = new FetchError("status", "too early", { status: 425 });

function recovery(failed: Partial<FailedResponse>, waitsForExports = true): Recovery {
  const all = { error: malformed, requested: new Set(asPartitions([1, 2])), lastPartition: undefined };
  return recoveryOf({ ...all, isOutgrown: false, failures: 1, ...failed }, waitsForExports, 1);
}

const again = { retry: true, delayMs: backoffFirstMs };
const never = { retry: false };

const cases: readonly { id: string; recovery: Recovery; expected: object }[] = [
  {
    id: "a malformed response excludes the partition in which it broke",
    recovery: recovery({ lastPartition: asPartition(2) }),
    expected: { retry: again, broken: 2, outgrown: [] },
  },
  {
    id: "a malformed response excludes the only requested partition",
    recovery: recovery({ requested: new Set(asPartitions([1])), lastPartition: asPartition(7) }),
    expected: { retry: again, broken: 1, outgrown: [] },
  },
  {
    id: "a malformed response that broke nowhere known gives the peer up",
    recovery: recovery({}),
    expected: { retry: never, broken: undefined, outgrown: [] },
  },
  {
    id: "a long response without a large partition excludes what was requested",
    recovery: recovery({ error: overBudget }),
    expected: { retry: again, outgrown: [1, 2] },
  },
  {
    id: "a long response with a large partition excludes no other",
    recovery: recovery({ error: overBudget, isOutgrown: true }),
    expected: { retry: again, outgrown: [] },
  },
  {
    id: "an export is waited for",
    recovery: recovery({ error: tooEarly }),
    expected: { retry: again, broken: undefined, outgrown: [] },
  },
  {
    id: "an export is not waited for where the run says so",
    recovery: recovery({ error: tooEarly }, false),
    expected: { retry: never },
  },
  {
    id: "a truncated response is retried as a whole",
    recovery: recovery({ error: new ResponseError("truncated", "cut off") }),
    expected: { retry: again, broken: undefined, outgrown: [] },
  },
  {
    id: "a status that is permanent is not retried",
    recovery: recovery({ error: new FetchError("status", "not found", { status: 404 }) }),
    expected: { retry: never },
  },
  {
    id: "an invalid certificate is not retried",
    recovery: recovery({ error: new FetchError("tls", "certificate") }),
    expected: { retry: never },
  },
  {
    id: "the last attempt is not retried",
    recovery: recovery({ error: new FetchError("reset", "reset"), failures: attemptsMax }),
    expected: { retry: never },
  },
  {
    id: "a peer that exceeded the byte budget is requested for something else, however often it failed",
    recovery: recovery({ error: overBudget, failures: attemptsMax }),
    expected: { retry: { retry: true }, outgrown: [1, 2] },
  },
];

describe("after a response that failed", () => {
  it.each(cases)("$id", (one) => expect(one.recovery).toMatchObject(one.expected));
});
