import { describe, expect, it } from "vitest";
import type { Rejection, RejectionReason } from "../../src/agreement/admission.ts";
import { GossipBlame } from "../../src/agreement/attribution.ts";
import { RunLog } from "../../src/events/run-log.ts";

const ids = ["a", "b", "c", "d", "e"].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
  string,
  string,
];
const [a, b, c] = ids;

/** What is held against whom, after each of five nodes has passed on something. */
function blamed(
  passedOn: readonly {
    readonly by: readonly string[];
    readonly reason: RejectionReason;
    readonly sender?: string;
  }[],
  areSettingsProved = true,
) {
  const log = new RunLog(undefined);
  log.areSettingsProved = areSettingsProved;
  const blame = new GossipBlame(log);
  for (const id of ids) blame.heardFrom(id);
  for (const [number, { by, reason, sender }] of passedOn.entries()) {
    const rejection: Rejection = { kind: "rejected", reason, problem: reason, ...(sender && { sender }) };
    for (const relay of by) blame.rejected(rejection, `text ${number}`, relay);
  }
  blame.blameRelays();
  const offences = log.offences.map(({ node, kind, basis }) => `${node.slice(0, 1)}: ${kind}, ${basis}`);
  return {
    offences,
    warnings: log.summary().warnings.length,
    suspects: ids.filter((id) => blame.isSuspect(id)),
  };
}

describe("what was not admitted is held", () => {
  it.each([
    {
      id: "unsigned, from one relay",
      passedOn: [{ by: [a], reason: "unsigned", sender: b }],
      offences: ["a: invalid-gossip, observed"],
    },
    {
      id: "not JSON, from one relay",
      passedOn: [{ by: [a], reason: "not-json" }],
      offences: ["a: invalid-gossip, observed"],
    },
    {
      id: "unsigned, from most relays: their reading differs from ours",
      passedOn: [{ by: [a, b, c], reason: "unsigned" }],
      offences: [],
    },
    {
      id: "unsigned, from most relays, in the name and with the key of one of them",
      passedOn: [{ by: [a, b, c], reason: "unsigned", sender: b }],
      offences: ["b: invalid-gossip, observed"],
    },
    {
      id: "signed with another key, from most relays: our list may have another key for its sender",
      passedOn: [{ by: [a, b, c], reason: "other-key", sender: b }],
      offences: [],
    },
    {
      id: "signed with another key, from a single relay",
      passedOn: [{ by: [a], reason: "other-key", sender: b }],
      offences: ["a: invalid-gossip, observed"],
    },
    {
      id: "unsigned, from the one in whose name it is",
      passedOn: [{ by: [b], reason: "unsigned", sender: b }],
      offences: ["b: invalid-gossip, observed"],
    },
    {
      id: "malformed, from one relay",
      passedOn: [{ by: [a], reason: "malformed", sender: b }],
      offences: ["b: invalid-vote, signed"],
    },
    {
      id: "oversized, from all",
      passedOn: [{ by: [a], reason: "oversized", sender: b }],
      offences: ["b: invalid-vote, signed"],
    },
    {
      id: "in another one's name, from who has signed it",
      passedOn: [{ by: [a], reason: "misattributed", sender: a }],
      offences: ["a: invalid-gossip, observed"],
    },
    {
      id: "in another one's name, from others",
      passedOn: [{ by: [b], reason: "misattributed", sender: a }],
      offences: [],
    },
    { id: "of a stranger", passedOn: [{ by: [a], reason: "stranger" }], offences: [] },
    { id: "of another cycle", passedOn: [{ by: [a], reason: "other-cycle" }], offences: [] },
    { id: "beyond a limit", passedOn: [{ by: [a], reason: "limit" }], offences: [] },
    { id: "superfluous", passedOn: [{ by: [a], reason: "superfluous", sender: b }], offences: [] },
  ] as const)("against whom it is the doing of: $id", ({ passedOn, offences }) => {
    expect(blamed(passedOn).offences).toEqual(offences);
  });

  it("against a relay that is asked no more", () => {
    expect(blamed([{ by: [a], reason: "unsigned" }]).suspects).toEqual([a]);
    expect(blamed([{ by: [b], reason: "limit" }]).suspects).toEqual([]);
  });

  it("against nobody, with a warning, where it is unclear", () => {
    expect(blamed([{ by: [a, b, c], reason: "unsigned" }])).toMatchObject({ offences: [], warnings: 1 });
  });

  it.each(["oversized", "malformed"] as const)(
    "against nobody where nothing proves the sharding settings: %s",
    (reason) => {
      expect(blamed([{ by: [a], reason, sender: b }], false).offences).toEqual([]);
    },
  );
});
