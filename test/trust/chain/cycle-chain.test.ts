import { describe, expect, it } from "vitest";
import { asCycle, asHashHex } from "../../../src/protocol/brands.ts";
import { type CycleRecord, cycleMarker } from "../../../src/protocol/cycle-record.ts";
import { checkChain, recordedNetworkHashes } from "../../../src/trust/chain/cycle-chain.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";
import { readVectors } from "../../helpers/vectors.ts";
import { recordOf } from "./records.ts";

interface Vectors {
  readonly hashKey: string;
  readonly cycles: readonly Record<string, unknown>[];
}
const { hashKey, cycles } = readVectors<Vectors>("cycles");

function check(received: readonly Record<string, unknown>[], key = hashKey) {
  return checkChain(parseCycleRecords(received, "test").records, key);
}

/** The chain with one record changed, and by default with the marker recomputed. */
function changed(index: number, changes: object, isMarkerRenewed = true): Record<string, unknown>[] {
  return cycles.map((record, at) => {
    if (at !== index) return record;
    const other = { ...record, ...changes };
    return isMarkerRenewed ? { ...other, marker: cycleMarker(other, hashKey) } : other;
  });
}

/** The chain with a shutdown in record 10, and a next link that is not the shutdown record's marker. */
function restarted(records: typeof cycles, mode = "restart"): Record<string, unknown>[] {
  return records.map((record, index) => {
    if (index < 10) return record;
    const { marker: _marker, ...rest } = record;
    const changes = index === 10 ? { mode: "shutdown" } : { mode, previous: "22".repeat(32) };
    const other = { ...rest, ...changes };
    return { ...other, marker: cycleMarker(other, hashKey) };
  });
}

describe("the cycle chain", () => {
  it("of a real network is unbroken", () => {
    expect(check(cycles)).toEqual([]);
    expect(check([...cycles].reverse())).toEqual([]);
  });

  it("may lack its beginning", () => {
    expect(check(cycles.slice(5))).toEqual([]);
  });

  it.each([
    {
      id: "a field changed without its marker",
      records: changed(4, { active: 8 }, false),
      findings: [{ severity: "broken", cycle: 4, problem: expect.stringContaining("states the hash") }],
    },
    {
      id: "a field changed with its marker",
      records: changed(4, { active: 8 }),
      findings: [{ severity: "broken", cycle: 5, problem: expect.stringContaining("but record 4 is") }],
    },
    {
      id: "another marker",
      records: changed(4, { marker: "00".repeat(32) }, false),
      findings: [
        {
          severity: "broken",
          cycle: 4,
          problem: expect.stringContaining(`states the hash ${"00".repeat(32)}`),
        },
        { severity: "broken", cycle: 5, problem: expect.stringContaining("record 5 follows") },
      ],
    },
    {
      id: "another previous",
      records: changed(11, { previous: "11".repeat(32) }),
      findings: [
        { severity: "broken", cycle: 11, problem: expect.stringContaining(`follows ${"11".repeat(32)}`) },
      ],
    },
    {
      id: "a missing record",
      records: cycles.filter((_, index) => index !== 6),
      findings: [{ severity: "gap", cycle: 7, problem: "records 6 to 6 are missing" }],
    },
    {
      id: "several missing records",
      records: cycles.filter((_, index) => index < 3 || index > 8),
      findings: [{ severity: "gap", cycle: 9, problem: "records 3 to 8 are missing" }],
    },
    {
      id: "a fork",
      records: [...cycles, { ...changed(11, { active: 8 })[11] }],
      findings: [{ severity: "broken", cycle: 11, problem: "there are two records of cycle 11: a fork" }],
    },
    {
      id: "a duplicate record, which is not a fork",
      records: [...cycles, { ...cycles[11] }],
      findings: [{ severity: "gap", cycle: 11, problem: "record 11 is listed twice" }],
    },
    {
      id: "a record that starts before the previous one ends",
      records: changed(11, { start: 1_700_000_600 }),
      findings: [
        { severity: "gap", cycle: 11, problem: expect.stringContaining("record 11 starts at 1700000600") },
      ],
    },
    {
      id: "no marker",
      records: cycles.map(({ marker, ...record }, index) => (index === 11 ? record : { marker, ...record })),
      findings: [{ severity: "gap", cycle: 11, problem: "record 11 has no marker, so it cannot be checked" }],
    },
    {
      id: "a changed record without its marker, which the next record disproves",
      records: changed(4, { active: 8, marker: undefined }, false).map(({ ...record }) => {
        if (record["marker"] === undefined) delete record["marker"];
        return record;
      }),
      findings: [
        { severity: "gap", cycle: 4, problem: "record 4 has no marker, so it cannot be checked" },
        { severity: "broken", cycle: 5, problem: expect.stringContaining("but record 4 is") },
      ],
    },
    {
      id: "a restart of the network, whose link is unproved",
      records: restarted(cycles),
      findings: [
        { severity: "gap", cycle: 11, problem: expect.stringContaining("shut down after record 10") },
      ],
    },
    {
      id: "another previous after a shutdown without a restart",
      records: restarted(cycles, "processing"),
      findings: [{ severity: "broken", cycle: 11, problem: expect.stringContaining("record 11 follows") }],
    },
    {
      id: "a record without canonical text",
      records: changed(11, { extra: { dataType: "bi", value: "no digits" } }, false),
      findings: [{ severity: "broken", cycle: 11, problem: "record 11 has no canonical text" }],
    },
  ])("is reported to have $id", ({ records, findings }) => {
    expect(check(records)).toEqual(findings);
  });

  it("has only broken records under another hash key", () => {
    expect(check(cycles, "00".repeat(32)).map(({ severity, cycle }) => [severity, cycle])).toEqual(
      cycles.map((_, cycle) => ["broken", cycle]),
    );
  });

  it("does not depend on the certificates, which no marker covers", () => {
    expect(check(cycles.map((record) => ({ ...record, certificate: { marker: "x" } })))).toEqual([]);
  });

  it("without records is unbroken", () => {
    expect(checkChain([])).toEqual([]);
  });
});

describe("the network hash of a cycle", () => {
  const hash = (digit: string) => digit.repeat(64);
  const named = (counter: number, ...entries: [number, string][]): CycleRecord =>
    recordOf(counter, {
      networkDataHash: entries.map(([cycle, of]) => ({ cycle: asCycle(cycle), hash: asHashHex(of) })),
    });

  it("is found by the cycle's number in any record", () => {
    const records = [
      named(4, [2, hash("a")]),
      named(5, [3, hash("b")]),
      named(6, [4, hash("c")], [3, hash("b")]),
    ];
    expect(recordedNetworkHashes(records, asCycle(3))).toEqual([hash("b")]);
    expect(recordedNetworkHashes(records, asCycle(4))).toEqual([hash("c")]);
    expect(recordedNetworkHashes(records, asCycle(5))).toEqual([]);
  });

  it("has several values if records contradict each other", () => {
    const records = [named(5, [3, hash("b")]), named(6, [3, hash("d")])];
    expect(recordedNetworkHashes(records, asCycle(3))).toEqual([hash("b"), hash("d")]);
  });
});
