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
    { id: "current", received: message },
    { id: "first", received: { ...message, data: partitionHash } },
  ])("is parsed in the $id form", ({ received }) => {
    expect(parseGossipMessage(received, "test")).toEqual({ cycle: 123, sender: hex("d"), hashes, received });
  });

  it("may have no hashes in either form", () => {
    for (const data of [{}, { partitionHash: {} }]) {
      expect(parseGossipMessage({ ...message, data }, "test").hashes.size).toBe(0);
    }
  });

  it.each([
    {
      id: "a missing cycle",
      changes: { cycle: undefined },
      says: "cycle: expected a cycle number, got nothing",
    },
    { id: "a string as cycle", changes: { cycle: "123" }, says: 'cycle: expected a cycle number, got "123"' },
    { id: "a negative cycle", changes: { cycle: -1 }, says: "cycle: expected a cycle number, got -1" },
    {
      id: "a missing sender",
      changes: { sender: undefined },
      says: "sender: expected 64 lower-case hex digits, got nothing",
    },
    {
      id: "hostile text as sender",
      changes: { sender: hostileText },
      says: "sender: expected 64 lower-case hex digits, got ",
    },
    {
      id: "missing data",
      changes: { data: undefined },
      says: "data: expected the hashes of partitions, got nothing",
    },
    {
      id: "a list as data",
      changes: { data: [hex("a")] },
      says: "data: expected the hashes of partitions, got",
    },
    {
      id: "a malformed hash",
      changes: { data: { "0": "abc" } },
      says: "data: expected the hashes of partitions, got",
    },
    {
      id: "a hash in capitals",
      changes: { data: { partitionHash: { "0": hex("A") } } },
      says: "data: expected",
    },
    {
      id: "a partition below −1",
      changes: { data: { partitionHash: { "-2": hex("a") } } },
      says: "data: expected",
    },
    {
      id: "a partition with a leading zero",
      changes: { data: { partitionHash: { "01": hex("a") } } },
      says: "data: expected",
    },
    { id: "a fractional partition", changes: { data: { "0.5": hex("a") } }, says: "data: expected" },
    {
      id: "hostile text as partition",
      changes: { data: { [hostileText]: hex("a") } },
      says: "data: expected",
    },
  ])(
    "with $id is rejected with a message that names field, expected and actual value",
    ({ changes, says }) => {
      expect(wireErrorOf((source) => parseGossipMessage({ ...message, ...changes }, source))).toContain(says);
    },
  );

  it.each([{ received: null }, { received: "text" }, { received: [message] }])(
    "cannot be parsed from $received",
    ({ received }) => {
      expect(wireErrorOf((source) => parseGossipMessage(received, source))).not.toBe("");
    },
  );
});
