import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { findBoundaries } from "../../../src/trust/chain/boundary.ts";
import { seeded } from "../../helpers/seeded.ts";
import { duration, endOf, firstStart, recordOf, recordsOf } from "./records.ts";

/** Cycles 10 to 14, long ago. */
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
  ])("$id is unaligned, and the two nearest boundaries are named", ({ timestamp, nearest }) => {
    const [before, after] = nearest;
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("unaligned-timestamp");
    expect(failure.message).toContain(`nearest are ${before} (`);
    expect(failure.message).toContain(` and ${after} (`);
    expect(failure.hint).toBe(`Use --timestamp ${before} or --timestamp ${after}.`);
  });

  it.each([
    {
      id: "within the cycle that goes on",
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
  ])(
    "$id is unaligned, and no boundary that is still to come is suggested",
    ({ timestamp, nowMs, newest }) => {
      const failure = failureOf(() => at(timestamp, nowMs));
      expect(failure.code).toBe("unaligned-timestamp");
      expect(failure.message).toContain(`the newest one so far is ${newest} (`);
      expect(failure.hint).toBe(`Use --timestamp ${newest} or --timestamp latest.`);
    },
  );

  it("that is unaligned where no cycle is over has no suggestion", () => {
    const failure = failureOf(() => at(endOf(12) + 1, endOf(9) + 1));
    expect(failure).toMatchObject({ code: "unaligned-timestamp", hint: expect.stringContaining("latest") });
  });

  it("that is unaligned has no boundary between it and those that are named", () => {
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
  ])("that will be a boundary is only too early: $id", ({ timestamp }) => {
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("temporary");
    expect(failure.message).toContain("the newest record is cycle 14");
  });

  it("that is the end of a cycle which still goes on is only too early", () => {
    expect(failureOf(() => at(endOf(14), endOf(14) - 1)).code).toBe("temporary");
    expect(at(endOf(14), endOf(14))).toHaveLength(1);
  });

  it.each([
    { id: "the start of the oldest record", timestamp: endOf(9) },
    { id: "before the oldest record", timestamp: endOf(3) },
    { id: "the beginning of time", timestamp: 0 },
  ])("that the records do not reach is a matter of configuration: $id", ({ timestamp }) => {
    const failure = failureOf(() => at(timestamp));
    expect(failure.code).toBe("configuration");
    expect(failure.message).toContain("cycles 10 to 14");
    expect(failure.hint).toContain("--cycles");
  });
});

describe("a cycle", () => {
  const ofCycle = (counter: number) => findBoundaries({ kind: "cycle", counter }, records, longAfter);

  it("means its end", () => {
    expect(ofCycle(12)).toEqual([{ timestamp: endOf(12), cycle: records[2] }]);
  });

  it.each([
    { id: "still to come", counter: 15, code: "temporary", says: "cycle 15 is still to come" },
    { id: "too old", counter: 9, code: "configuration", says: "cycle 9 is not among the records" },
  ])("that is $id is a failure: $code", ({ counter, code, says }) => {
    const failure = failureOf(() => ofCycle(counter));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(says);
  });

  it("that was left out of the records breaks the chain", () => {
    const holed = records.filter(({ counter }) => counter !== 12);
    const failure = failureOf(() => findBoundaries({ kind: "cycle", counter: 12 }, holed, longAfter));
    expect(failure.code).toBe("chain");
  });
});

describe("the latest snapshot", () => {
  const latest = (of = records, nowMs = longAfter) =>
    findBoundaries({ kind: "latest" }, of, nowMs).map(({ timestamp, cycle }) => [timestamp, cycle.counter]);
  const ends = (...counters: number[]) => counters.map((counter) => [endOf(counter), counter]);

  it("may be the end of any cycle that is over, the newest first", () => {
    expect(latest()).toEqual(ends(14, 13, 12, 11, 10));
    expect(latest(records, endOf(13))).toEqual(ends(13, 12, 11, 10));
  });

  it("is the newest marked one where any is marked: the start of that cycle, the end of the one before", () => {
    const marked = records.map((record) =>
      [12, 14].includes(record.counter) ? { ...record, snapshot: true } : record,
    );
    expect(latest(marked)).toEqual(ends(13, 11));
  });

  it("is not a marked one whose own cycle the records do not have", () => {
    const marked = [recordOf(10, { snapshot: true }), ...records.slice(1)];
    expect(latest(marked)).toEqual(ends(14, 13, 12, 11, 10));
  });

  it("is too early where no cycle is over", () => {
    expect(failureOf(() => latest(records, endOf(10) - 1)).code).toBe("temporary");
  });
});

it.each([
  { kind: "latest" } as const,
  { kind: "cycle", counter: 1 } as const,
  { kind: "moment", timestamp: endOf(1) } as const,
])("without records nothing is known: $kind", (time) => {
  expect(failureOf(() => findBoundaries(time, [], longAfter)).code).toBe("configuration");
});
