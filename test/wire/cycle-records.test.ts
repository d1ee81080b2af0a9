import { describe, expect, it } from "vitest";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { readVectors } from "../helpers/vectors.ts";
import { hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

const { cycles } = readVectors<{ cycles: Record<string, unknown>[] }>("cycles");
const record = { counter: 7, start: 1_700_000_000, duration: 60, active: 9 };

describe("cycle records", () => {
  it("are sorted, whether they come newest first from an archiver or as a list in any order", () => {
    const counters = cycles.map(({ counter }) => counter);
    for (const received of [{ cycleInfo: [...cycles].reverse(), sign: {} }, [...cycles].reverse(), cycles]) {
      const parsed = parseCycleRecords(received, "test");
      expect(parsed.records.map(({ counter }) => counter)).toEqual(counters);
      expect(parsed.records.map((one) => one.received)).toEqual(cycles);
      expect(parsed.received).toBe(received);
    }
  });

  it("may omit optional fields", () => {
    const { records } = parseCycleRecords([record], "test");
    expect(records).toEqual([
      {
        ...record,
        marker: undefined,
        previous: undefined,
        snapshot: false,
        networkDataHash: [],
        received: record,
      },
    ]);
  });

  it("may have null fields instead of omitting them", () => {
    const [parsed] = parseCycleRecords(
      [{ ...record, snapshot: null, networkDataHash: null }],
      "test",
    ).records;
    expect(parsed).toMatchObject({ snapshot: false, networkDataHash: [] });
  });

  it("contain snapshot marks and network hashes of earlier cycles", () => {
    const networkDataHash = [{ cycle: 5, hash: "a".repeat(64) }];
    const [parsed] = parseCycleRecords([{ ...record, snapshot: true, networkDataHash }], "test").records;
    expect(parsed).toMatchObject({ snapshot: true, networkDataHash });
  });

  it.each([
    {
      id: "a missing number",
      changes: { counter: undefined },
      says: "[0]: counter: expected a cycle number, got nothing",
    },
    {
      id: "a string as number",
      changes: { counter: "7" },
      says: '[0]: counter: expected a cycle number, got "7"',
    },
    {
      id: "a fractional number",
      changes: { counter: 7.5 },
      says: "[0]: counter: expected a cycle number, got 7.5",
    },
    {
      id: "a negative number",
      changes: { counter: -1 },
      says: "[0]: counter: expected a cycle number, got -1",
    },
    { id: "a null start", changes: { start: null }, says: "[0]: start: expected seconds, got null" },
    {
      id: "a missing duration",
      changes: { duration: undefined },
      says: "[0]: duration: expected seconds, got nothing",
    },
    {
      id: "a duration of 0",
      changes: { duration: 0 },
      says: "[0]: duration: expected more than 0 seconds, got 0",
    },
    {
      id: "a string as number of nodes",
      changes: { active: "all" },
      says: '[0]: active: expected a number of nodes, got "all"',
    },
    {
      id: "too many nodes",
      changes: { active: 1e9 },
      says: "[0]: active: expected at most 50000 nodes, got 1000000000",
    },
    {
      id: "a string as snapshot mark",
      changes: { snapshot: "yes" },
      says: '[0]: snapshot: expected true or false, got "yes"',
    },
    {
      id: "hostile text as network hash",
      changes: { networkDataHash: [{ cycle: 5, hash: hostileText }] },
      says: "[0]: networkDataHash[0].hash: expected 64 lower-case hex digits, got ",
    },
    {
      id: "a network hash without a cycle",
      changes: { networkDataHash: [{ hash: "a".repeat(64) }] },
      says: "[0]: networkDataHash[0].cycle: expected a cycle number, got nothing",
    },
    { id: "a start after the year 9999", changes: { start: 1e300 }, says: "[0]: start: expected seconds" },
    { id: "a vanishing duration", changes: { duration: 1e-300 }, says: "[0]: duration: expected at least" },
    {
      id: "a duration of more than a year",
      changes: { duration: 1e300 },
      says: "[0]: duration: expected at most",
    },
    {
      id: "a number above the bound",
      changes: { counter: 2 ** 53 - 1 },
      says: "[0]: counter: expected a cycle number",
    },
    { id: "an unsafe number", changes: { counter: 2 ** 60 }, says: "[0]: counter: expected a cycle number" },
  ])(
    "with $id are left out with a message that names field, expected and actual value",
    ({ changes, says }) => {
      const received = {
        cycleInfo: [
          { ...record, ...changes },
          { ...record, counter: 8 },
        ],
      };
      const { records, skipped } = parseCycleRecords(received, "test");
      expect(records.map(({ counter }) => counter)).toEqual([8]);
      expect(skipped.count).toBe(1);
      expect(skipped.first[0]).toContain(says);
    },
  );

  it.each([
    { id: "null", received: null, says: "expected cycle records, got null" },
    { id: "a node list", received: { nodeList: [] }, says: "cycleInfo: " },
    { id: "a string", received: hostileText, says: "expected cycle records, got" },
  ])("cannot be parsed from $id", ({ received, says }) => {
    expect(wireErrorOf((source) => parseCycleRecords(received, source))).toContain(says);
  });
});
