import { describe, expect, it } from "vitest";
import type { ResponseReport } from "../../src/artifact/response-report.ts";
import { FetchError, type FetchErrorKind } from "../../src/errors/fetch-error.ts";
import type { OffenceKind } from "../../src/errors/offence.ts";
import { ResponseError, type ResponseErrorKind } from "../../src/errors/response-error.ts";
import type { ResponseOutcome } from "../../src/errors/response-outcome.ts";
import { offencesOf, outcomeOf } from "../../src/sync/classify-response.ts";
import { fetchErrorCosts, responseErrorCosts } from "../../src/sync/peers/error-costs.ts";
import { asPartitions } from "../helpers/brands.ts";
import { mismatchOf, reportOf } from "./scheduler-driver.ts";

const fetchKinds = Object.keys(fetchErrorCosts) as FetchErrorKind[];
const responseKinds = Object.keys(responseErrorCosts) as ResponseErrorKind[];

interface Case {
  readonly id: string;
  readonly report: ResponseReport;
  readonly outcome: ResponseOutcome;
  readonly offences: readonly OffenceKind[];
}

const complete = { kind: "complete" } as const;
const conflicting = { ...mismatchOf(3), conflict: "0a" };

const cases: readonly Case[] = [
  {
    id: "a complete response shows no offence",
    report: reportOf(complete),
    outcome: "complete",
    offences: [],
  },
  {
    id: "a partition without the agreed hash is wrong",
    report: reportOf(complete, { mismatched: [mismatchOf(3)] }),
    outcome: "wrong",
    offences: ["wrong-partition"],
  },
  {
    id: "an account with two contents contradicts itself",
    report: reportOf(complete, { mismatched: [conflicting] }),
    outcome: "wrong",
    offences: ["contradicting-account"],
  },
  {
    id: "accounts after a complete partition are superfluous",
    report: reportOf(complete, { superfluous: asPartitions([1, 2]) }),
    outcome: "complete",
    offences: ["superfluous-account", "superfluous-account"],
  },
  {
    id: "accounts of other partitions are foreign",
    report: reportOf(complete, { foreignAccounts: 1 }),
    outcome: "complete",
    offences: ["foreign-accounts"],
  },
  {
    id: "accounts that are sent twice are duplicates",
    report: reportOf(complete, { duplicateAccounts: 2 }),
    outcome: "complete",
    offences: ["duplicate-accounts"],
  },
  {
    id: "a response that the HTTP library gave up counts as broken off",
    report: reportOf({ kind: "failed", error: new FetchError("aborted", "aborted") }),
    outcome: "reset",
    offences: [],
  },
];

describe("a response is classified", () => {
  it.each(cases)("$id", ({ report, outcome, offences }) => {
    expect(outcomeOf(report)).toBe(outcome);
    expect(offencesOf("a", report).map(({ kind }) => kind)).toEqual(offences);
  });

  it.each(fetchKinds.filter((kind) => kind !== "aborted"))(
    "a request that fails as %s has that outcome",
    (kind) => {
      const report = reportOf({ kind: "failed", error: new FetchError(kind, "failed") });
      expect(outcomeOf(report)).toBe(kind);
      const { offence } = fetchErrorCosts[kind];
      expect(offencesOf("a", report).map((one) => one.kind)).toEqual(offence === undefined ? [] : [offence]);
    },
  );

  it.each(responseKinds)("a response that is %s has that outcome", (kind) => {
    const report = reportOf({ kind: "failed", error: new ResponseError(kind, "failed") });
    expect(outcomeOf(report)).toBe(kind);
    const { offence } = responseErrorCosts[kind];
    expect(offencesOf("a", report).map((one) => one.kind)).toEqual(offence === undefined ? [] : [offence]);
  });
});

describe("the costs of errors", () => {
  it("blame no peer that is down, busy or cut off", () => {
    const blamed = fetchKinds.filter((kind) => fetchErrorCosts[kind].offence !== undefined);
    expect(blamed.sort()).toEqual(["not-http", "redirect", "stalled", "too-large"]);
  });

  it("blame every useless response but one that outgrows the byte budget", () => {
    const blamed = responseKinds.filter((kind) => responseErrorCosts[kind].offence !== undefined);
    expect(blamed.sort()).toEqual(["malformed", "too-large", "truncated"]);
  });

  it("let a peer retry unless its error is permanent", () => {
    const permanent = fetchKinds.filter((kind) => fetchErrorCosts[kind].retry === "never");
    expect(permanent.sort()).toEqual(["aborted", "not-asked", "not-http", "redirect", "tls", "too-large"]);
  });
});
