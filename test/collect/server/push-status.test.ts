import { expect, it } from "vitest";
import type { Admission, RejectionReason, Vote } from "../../../src/agreement/admission/admission.ts";
import { statusOfAdmission } from "../../../src/collect/server/push-status.ts";
import { asCycle } from "../../../src/protocol/brands.ts";
import { hashNamed, idNamed } from "../../helpers/brands.ts";

const vote: Vote = {
  cycle: asCycle(7),
  sender: idNamed("a"),
  hash: hashNamed("b"),
  text: "",
  hashes: new Map(),
};

const admissions: readonly { admission: Admission; status: number }[] = [
  { admission: { kind: "new", vote }, status: 202 },
  { admission: { kind: "equivocation", vote, first: vote }, status: 202 },
  { admission: { kind: "duplicate", vote }, status: 200 },
];

it.each(admissions)("a message that is $admission.kind has the status $status", ({ admission, status }) => {
  expect(statusOfAdmission(admission)).toBe(status);
});

const rejections: Readonly<Record<RejectionReason, number>> = {
  "not-json": 400,
  unsigned: 400,
  "other-key": 400,
  stranger: 403,
  "other-cycle": 400,
  limit: 413,
  superfluous: 409,
  malformed: 400,
  misattributed: 400,
  oversized: 413,
};

it.each(Object.entries(rejections))(
  "a message that is rejected as %s has the status %i",
  (reason, status) => {
    const admission = { kind: "rejected", reason: reason as RejectionReason, problem: "" } as const;
    expect(statusOfAdmission(admission)).toBe(status);
  },
);
