import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { findBoundaries } from "../../../src/trust/chain/boundary.ts";
import { seeded } from "../../helpers/seeded.ts";
import { duration, endOf, firstStart, recordOf, recordsOf } from "./records.ts";

/** Cycles 10 to 14, in the past. */
const records = recordsOf(10, 14);
const longAfter = endOf(1_000_000);
const periodMs = duration * 1000;

function at(timestamp: number, nowMs = longAfter) {
  return findBoundaries({ kind: "moment", timestamp }, records, nowMs);
}

function failureOf(action: () => unknown): SnapshotError {
  try {
    action();
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe("a moment", () => {
  it.each([10, 11, 14])("that is the end of cycle %i is the boundary of that cycle", (counter) => {
    expect(at(endOf(counter))).toEqual([{ timestamp: endOf(counter), cycle: records[counter - 10] }]);
  });

  it.each([
    { id: "within a cycle", timestamp: endOf(11) + 20_000, nearest: [endOf(11), endOf(12)] },
    { id: "a millisecond before a boundary", timestamp: endOf(12) - 1, nearest: [endOf(11), endOf(12)] },
    { id: "a millisecond after a boundary", timestamp: endOf(12) + 1, nearest: [endOf(12), endOf(13)] },
    { id: "within the oldest cycle", timestamp: endOf(10) - 1, nearest: [endOf(9), endOf(10)] },
    { id: "beyond the newest record", timestamp: endOf(14) + 1, nearest: [endOf(14), endOf(15)] },
    { id: "far beyond the newest record", timestamp: endOf(100) - 7, nearest: [endOf(99), endOf(100)] },
  ])("$id is unaligned, with an error that names the two nearest boundaries", ({ timestamp, nearest }) => {
    const [before, after] = nearest;
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("unaligned-timestamp");
    expect(failure.message).toContain(`nearest are ${before} (`);
    expect(failure.message).toContain(` and ${after} (`);
    expect(failure.hint).toBe(`Use --timestamp ${before} or --timestamp ${after}.`);
  });

  it.each([
    {
      id: "within the current cycle",
      timestamp: endOf(13) + 1,
      nowMs: endOf(13) + 5,
      newest: endOf(13),
    },
    {
      id: "of a cycle without a record yet",
      timestamp: endOf(14) + 1,
      nowMs: endOf(14) + 5,
      newest: endOf(14),
    },
    { id: "far in the future", timestamp: endOf(900) + 1, nowMs: endOf(12) + 5, newest: endOf(12) },
  ])("$id is unaligned, with an error that suggests no future boundary", ({ timestamp, nowMs, newest }) => {
    const failure = failureOf(() => at(timestamp, nowMs));
    expect(failure.code).toBe("unaligned-timestamp");
    expect(failure.message).toContain(`the newest one is ${newest} (`);
    expect(failure.hint).toBe(`Use --timestamp ${newest} or --timestamp latest.`);
  });

  it("that is unaligned before the end of the first cycle has no suggested boundary", () => {
    const failure = failureOf(() => at(endOf(12) + 1, endOf(9) + 1));
    expect(failure).toMatchObject({ code: "unaligned-timestamp", hint: expect.stringContaining("latest") });
  });

  it("that is unaligned has no boundary between itself and the suggested ones", () => {
    const range = { min: firstStart * 1000 + 10 * periodMs, max: endOf(14) + 3 * periodMs };
    const property = fc.property(fc.integer(range), (timestamp) => {
      fc.pre((timestamp - firstStart * 1000) % periodMs !== 0);
      const hint = failureOf(() => at(timestamp)).hint ?? "";
      const [before = 0, after = 0] = [...hint.matchAll(/\d+/g)].map(Number);
      expect(before < timestamp && timestamp < after).toBe(true);
      expect(after - before).toBe(periodMs);
      expect((before - firstStart * 1000) % periodMs).toBe(0);
    });
    fc.assert(property, seeded(300));
  });

  it.each([
    { id: "the next cycle's end", timestamp: endOf(15) },
    { id: "the end of one far away", timestamp: endOf(5000) },
  ])("that is a future boundary fails as temporary: $id", ({ timestamp }) => {
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("temporary");
    expect(failure.message).toContain("the newest record is cycle 14");
  });

  it("that is the end of the current cycle fails as temporary", () => {
    expect(failureOf(() => at(endOf(14), endOf(14) - 1)).code).toBe("temporary");
    expect(at(endOf(14), endOf(14))).toHaveLength(1);
  });

  it.each([
    { id: "the start of the oldest record", timestamp: endOf(9) },
    { id: "before the oldest record", timestamp: endOf(3) },
    { id: "the Unix epoch", timestamp: 0 },
  ])("before the records fails with the code configuration: $id", ({ timestamp }) => {
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("configuration");
    expect(failure.message).toContain("cycles 10 to 14");
    expect(failure.hint).toContain("--cycles");
  });
});

describe("a cycle as snapshot time", () => {
  const ofCycle = (counter: number) => findBoundaries({ kind: "cycle", counter }, records, longAfter);

  it("means its end", () => {
    expect(ofCycle(12)).toEqual([{ timestamp: endOf(12), cycle: records[2] }]);
  });

  it.each([
    { id: "in the future", counter: 15, code: "temporary", says: "cycle 15 is in the future" },
    { id: "too old", counter: 9, code: "configuration", says: "cycle 9 is not among the records" },
  ])("that is $id fails with the code $code", ({ counter, code, says }) => {
    const failure = failureOf(() => ofCycle(counter));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(says);
  });

  it("that is missing in the records fails with the code chain", () => {
    const holed = records.filter(({ counter }) => counter !== 12);
    const failure = failureOf(() => findBoundaries({ kind: "cycle", counter: 12 }, holed, longAfter));
    expect(failure.code).toBe("chain");
  });
});

describe("the latest snapshot", () => {
  const latest = (of = records, nowMs = longAfter) =>
    findBoundaries({ kind: "latest" }, of, nowMs).map(({ timestamp, cycle }) => [timestamp, cycle.counter]);
  const ends = (...counters: number[]) => counters.map((counter) => [endOf(counter), counter]);

  it("can be the end of any past cycle, the newest first", () => {
    expect(latest()).toEqual(ends(14, 13, 12, 11, 10));
    expect(latest(records, endOf(13))).toEqual(ends(13, 12, 11, 10));
  });

  it("is the newest marked boundary if any is marked: the start of the marked cycle", () => {
    const marked = records.map((record) =>
      [12, 14].includes(record.counter) ? { ...record, snapshot: true } : record,
    );
    expect(latest(marked)).toEqual(ends(13, 11));
  });

  it("is not a marked boundary whose cycle has no record", () => {
    const marked = [recordOf(10, { snapshot: true }), ...records.slice(1)];
    expect(latest(marked)).toEqual(ends(14, 13, 12, 11, 10));
  });

  it("fails as temporary before the end of the first cycle", () => {
    expect(failureOf(() => latest(records, endOf(10) - 1)).code).toBe("temporary");
  });
});

it.each([
  { kind: "latest" } as const,
  { kind: "cycle", counter: 1 } as const,
  { kind: "moment", timestamp: endOf(1) } as const,
])("a snapshot time without records fails with the code configuration: $kind", (time) => {
  expect(failureOf(() => findBoundaries(time, [], longAfter)).code).toBe("configuration");
});
