import { describe, expect, it } from "vitest";
import { parseGossipMessage } from "../../src/wire/gossip-message.ts";
import { hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

const hex = (digit: string) => digit.repeat(64);
const partitionHash = { "0": hex("a"), "12": hex("b"), "-1": hex("c") };
const message = {
  cycle: 123,
  data: { partitionHash, receiptMapHash: {}, summaryHash: {} },
  sender: hex("d"),
  sign: { owner: hex("e"), sig: "" },
};
const hashes = new Map([
  [0, hex("a")],
  [12, hex("b")],
  [-1, hex("c")],
]);

describe("a gossip message", () => {
  it.each([
    { id: "as it is now", received: message },
    { id: "of the first design", received: { ...message, data: partitionHash } },
  ])("$id is understood", ({ received }) => {
    expect(parseGossipMessage(received, "test")).toEqual({ cycle: 123, sender: hex("d"), hashes, received });
  });

  it("may have no hash at all, in either form", () => {
    for (const data of [{}, { partitionHash: {} }]) {
      expect(parseGossipMessage({ ...message, data }, "test").hashes.size).toBe(0);
    }
  });

  it.each([
    { id: "no cycle", changes: { cycle: undefined }, says: "cycle: expected a cycle number, got nothing" },
    { id: "a cycle as text", changes: { cycle: "123" }, says: 'cycle: expected a cycle number, got "123"' },
    { id: "a negative cycle", changes: { cycle: -1 }, says: "cycle: expected a cycle number, got -1" },
    {
      id: "no sender",
      changes: { sender: undefined },
      says: "sender: expected 64 lower-case hex digits, got nothing",
    },
    {
      id: "a sender that is none",
      changes: { sender: hostileText },
      says: "sender: expected 64 lower-case hex digits, got ",
    },
    {
      id: "no data",
      changes: { data: undefined },
      says: "data: expected the hashes of partitions, got nothing",
    },
    {
      id: "data that is a list",
      changes: { data: [hex("a")] },
      says: "data: expected the hashes of partitions, got",
    },
    {
      id: "a hash that is none",
      changes: { data: { "0": "abc" } },
      says: "data: expected the hashes of partitions, got",
    },
    {
      id: "a hash in capitals",
      changes: { data: { partitionHash: { "0": hex("A") } } },
      says: "data: expected",
    },
    {
      id: "a partition that is none",
      changes: { data: { partitionHash: { "-2": hex("a") } } },
      says: "data: expected",
    },
    {
      id: "a partition written otherwise",
      changes: { data: { partitionHash: { "01": hex("a") } } },
      says: "data: expected",
    },
    { id: "a fraction of a partition", changes: { data: { "0.5": hex("a") } }, says: "data: expected" },
    {
      id: "hostile text for a partition",
      changes: { data: { [hostileText]: hex("a") } },
      says: "data: expected",
    },
  ])("with $id is refused, by field, expected and got", ({ changes, says }) => {
    expect(wireErrorOf((source) => parseGossipMessage({ ...message, ...changes }, source))).toContain(says);
  });

  it.each([{ received: null }, { received: "text" }, { received: [message] }])(
    "is not $received",
    ({ received }) => {
      expect(wireErrorOf((source) => parseGossipMessage(received, source))).not.toBe("");
    },
  );
});
