import { describe, expect, it } from "vitest";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { readVectors } from "../helpers/vectors.ts";
import { hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

const { cycles } = readVectors<{ cycles: Record<string, unknown>[] }>("cycles");
const record = { counter: 7, start: 1_700_000_000, duration: 60, active: 9 };

describe("cycle records", () => {
  it("come newest first from an archiver, and in any order as a bare list", () => {
    const counters = cycles.map(({ counter }) => counter);
    for (const received of [{ cycleInfo: [...cycles].reverse(), sign: {} }, [...cycles].reverse(), cycles]) {
      const parsed = parseCycleRecords(received, "test");
      expect(parsed.records.map(({ counter }) => counter)).toEqual(counters);
      expect(parsed.records.map((one) => one.received)).toEqual(cycles);
      expect(parsed.received).toBe(received);
    }
  });

  it("may leave out what not every cycle has", () => {
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

  it("may have fields that are null rather than left out", () => {
    const [parsed] = parseCycleRecords(
      [{ ...record, snapshot: null, networkDataHash: null }],
      "test",
    ).records;
    expect(parsed).toMatchObject({ snapshot: false, networkDataHash: [] });
  });

  it("carry marks and network hashes of earlier cycles", () => {
    const networkDataHash = [{ cycle: 5, hash: "a".repeat(64) }];
    const [parsed] = parseCycleRecords([{ ...record, snapshot: true, networkDataHash }], "test").records;
    expect(parsed).toMatchObject({ snapshot: true, networkDataHash });
  });

  it.each([
    {
      id: "no number",
      changes: { counter: undefined },
      says: "[0]: counter: expected a cycle number, got nothing",
    },
    {
      id: "a number as text",
      changes: { counter: "7" },
      says: '[0]: counter: expected a cycle number, got "7"',
    },
    {
      id: "half a number",
      changes: { counter: 7.5 },
      says: "[0]: counter: expected a cycle number, got 7.5",
    },
    {
      id: "a negative number",
      changes: { counter: -1 },
      says: "[0]: counter: expected a cycle number, got -1",
    },
    { id: "no start", changes: { start: null }, says: "[0]: start: expected seconds, got null" },
    {
      id: "no duration",
      changes: { duration: undefined },
      says: "[0]: duration: expected seconds, got nothing",
    },
    {
      id: "a duration of nothing",
      changes: { duration: 0 },
      says: "[0]: duration: expected more than 0 seconds, got 0",
    },
    {
      id: "a number of nodes that is none",
      changes: { active: "all" },
      says: '[0]: active: expected a number of nodes, got "all"',
    },
    {
      id: "too many nodes",
      changes: { active: 1e9 },
      says: "[0]: active: expected at most 50000 nodes, got 1000000000",
    },
    {
      id: "a mark that is none",
      changes: { snapshot: "yes" },
      says: '[0]: snapshot: expected true or false, got "yes"',
    },
    {
      id: "a network hash that is none",
      changes: { networkDataHash: [{ cycle: 5, hash: hostileText }] },
      says: "[0]: networkDataHash[0].hash: expected 64 lower-case hex digits, got ",
    },
    {
      id: "a network hash of no cycle",
      changes: { networkDataHash: [{ hash: "a".repeat(64) }] },
      says: "[0]: networkDataHash[0].cycle: expected a cycle number, got nothing",
    },
    { id: "a start beyond all calendars", changes: { start: 1e300 }, says: "[0]: start: expected seconds" },
    { id: "a cycle of no length", changes: { duration: 1e-300 }, says: "[0]: duration: expected at least" },
    { id: "an endless cycle", changes: { duration: 1e300 }, says: "[0]: duration: expected at most" },
    {
      id: "an absurd number",
      changes: { counter: 2 ** 53 - 1 },
      says: "[0]: counter: expected a cycle number",
    },
    { id: "an unsafe number", changes: { counter: 2 ** 60 }, says: "[0]: counter: expected a cycle number" },
  ])("with $id are left out, by field, expected and got", ({ changes, says }) => {
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
  });

  it.each([
    { id: "null", received: null, says: "expected cycle records, got null" },
    { id: "a node list", received: { nodeList: [] }, says: "cycleInfo: " },
    { id: "a text", received: hostileText, says: "expected cycle records, got" },
  ])("are not $id", ({ received, says }) => {
    expect(wireErrorOf((source) => parseCycleRecords(received, source))).toContain(says);
  });
});
