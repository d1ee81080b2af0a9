import { describe, expect, it } from "vitest";
import type {
  Admission,
  Rejection,
  RejectionReason,
  Vote,
} from "../../../src/agreement/admission/admission.ts";
import { faultOf } from "../../../src/agreement/faults/fault.ts";
import { asCycle, asNodeId } from "../../../src/protocol/brands.ts";
import { hashNamed } from "../../helpers/brands.ts";

const sender = asNodeId("a".repeat(64));
const relay = "b".repeat(64);
const vote: Vote = { cycle: asCycle(7), sender, hash: hashNamed("c"), text: "", hashes: new Map() };

function rejection(reason: RejectionReason): Rejection {
  return { kind: "rejected", reason, problem: reason, sender };
}

const signed = { kind: "signed", offence: { node: sender, kind: "invalid-vote" } };
const none = { kind: "none" };
const relayed = { kind: "relayed", relay, sender };

describe("a message that another node forwarded is the fault of", () => {
  const cases: readonly { id: string; admission: Admission; expected: object }[] = [
    { id: "nobody if it is new", admission: { kind: "new", vote }, expected: none },
    { id: "nobody if it is a duplicate", admission: { kind: "duplicate", vote }, expected: none },
    {
      id: "its signer if it is an equivocation",
      admission: { kind: "equivocation", vote, first: vote },
      expected: { kind: "signed", offence: { node: sender, kind: "equivocation" } },
    },
    { id: "its signer if it is malformed", admission: rejection("malformed"), expected: signed },
    { id: "its signer if it is oversized", admission: rejection("oversized"), expected: signed },
    { id: "the relay if it is not JSON", admission: rejection("not-json"), expected: relayed },
    { id: "the relay if it is unsigned", admission: rejection("unsigned"), expected: relayed },
    {
      id: "the relay alone if it is signed with another key",
      admission: rejection("other-key"),
      expected: { ...relayed, sender: undefined },
    },
    { id: "nobody if it is misattributed", admission: rejection("misattributed"), expected: none },
    { id: "nobody if its sender is a stranger", admission: rejection("stranger"), expected: none },
    { id: "nobody if it is of another cycle", admission: rejection("other-cycle"), expected: none },
    { id: "nobody if it exceeds our limit", admission: rejection("limit"), expected: none },
    { id: "nobody if it is superfluous", admission: rejection("superfluous"), expected: none },
  ];
  it.each(cases)("$id", ({ admission, expected }) => {
    expect(faultOf(admission, { relay, areSettingsProved: true })).toMatchObject(expected);
  });
});

it("a forgery that its own signer forwards is the signer's fault as a relay", () => {
  const fault = faultOf(rejection("misattributed"), { relay: sender, areSettingsProved: true });
  expect(fault).toEqual({ kind: "relayed", relay: sender, problem: "misattributed", sender });
});

it.each(["not-json", "unsigned", "other-key", "misattributed"] as const)(
  "a message without a relay is nobody's fault: %s",
  (reason) => {
    expect(faultOf(rejection(reason), { areSettingsProved: true })).toEqual(none);
  },
);

it("an oversized vote is nobody's fault while nothing proves the sharding settings", () => {
  expect(faultOf(rejection("oversized"), { relay, areSettingsProved: false })).toEqual(none);
  expect(faultOf(rejection("malformed"), { relay, areSettingsProved: false })).toMatchObject(signed);
});

it.each([
  { source: undefined, detail: "two different messages for cycle 7, both signed" },
  { source: "x.json", detail: "two different messages for cycle 7; the second one came from x.json" },
])("an equivocation names where the second message came from: $source", ({ source, detail }) => {
  const admission = { kind: "equivocation", vote, first: vote } as const;
  expect(faultOf(admission, { source, areSettingsProved: true })).toMatchObject({ offence: { detail } });
});
