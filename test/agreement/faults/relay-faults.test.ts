import { describe, expect, it } from "vitest";
import { RelayFaults } from "../../../src/agreement/faults/relay-faults.ts";
import { asNodeId, type NodeId } from "../../../src/protocol/brands.ts";

const ids = ["a", "b", "c", "d", "e"].map((digit) => asNodeId(digit.repeat(64))) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const [a, b, c] = ids;

interface Forwarded {
  readonly by: readonly string[];
  readonly sender?: NodeId | undefined;
}

/** Faults after each of five nodes has forwarded something. */
function faultsOf(messages: readonly Forwarded[]): RelayFaults {
  const faults = new RelayFaults();
  for (const id of ids) faults.addRelay(id);
  for (const [number, { by, sender }] of messages.entries()) {
    for (const relay of by) {
      faults.add({ kind: "relayed", relay, problem: `problem ${number}`, sender }, `text ${number}`);
    }
  }
  return faults;
}

describe("a message that nobody signed is attributed", () => {
  it.each([
    { id: "to its only relay", messages: [{ by: [a], sender: b }], blamed: [a] },
    { id: "to each of a few relays", messages: [{ by: [a, c], sender: b }], blamed: [a, c] },
    {
      id: "to nobody if most nodes forward it: they parse it differently",
      messages: [{ by: [a, b, c] }],
      blamed: [],
    },
    {
      id: "to its sender if most nodes forward it, the sender among them",
      messages: [{ by: [a, b, c], sender: b }],
      blamed: [b],
    },
    { id: "to its sender that forwards it alone", messages: [{ by: [b], sender: b }], blamed: [b] },
    { id: "once to a relay of two such messages", messages: [{ by: [a] }, { by: [a] }], blamed: [a] },
  ])("$id", ({ messages, blamed }) => {
    const { offences } = faultsOf(messages).attribute();
    expect(offences.map(({ node }) => node)).toEqual(blamed);
    expect(offences.every(({ kind }) => kind === "invalid-gossip")).toBe(true);
  });
});

it.each([
  { id: "no problem without messages", messages: [], unattributed: undefined },
  { id: "no problem if a relay is blamed", messages: [{ by: [a] }], unattributed: undefined },
  {
    id: "the first problem for which no node is blamed",
    messages: [{ by: [a] }, { by: [a, b, c] }, { by: [a, b, c] }],
    unattributed: "problem 1",
  },
])("the attribution names $id", ({ messages, unattributed }) => {
  expect(faultsOf(messages).attribute().unattributed).toBe(unattributed);
});

it("a relay of what nobody signed is a suspect, and no other node is", () => {
  const faults = faultsOf([{ by: [a], sender: b }]);
  expect(ids.filter((id) => faults.isSuspect(id))).toEqual([a]);
});
