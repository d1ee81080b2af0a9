import { describe, expect, it } from "vitest";
import { asCycle, asHashHex } from "../../../src/protocol/brands.ts";
import { type ChainedRecord, makeCycleChain } from "../../../src/testnet/cluster/cycle-records.ts";
import { provedRecords } from "../../../src/trust/chain/proved-records.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";

const chain = makeCycleChain({
  seed: "proved",
  cycles: 6,
  cycleDuration: 60,
  activeNodes: 3,
  snapshotCycle: asCycle(2),
  networkHash: asHashHex("0".repeat(64)),
});
const markerOf = (counter: number) => chain[counter]?.marker ?? "";

function provedBy(records: readonly object[], marker: string): number[] {
  return provedRecords(parseCycleRecords(records, "records").records, marker).records.map(
    ({ counter }) => counter,
  );
}

const change = (counter: number, changes: object) => (record: ChainedRecord) =>
  record.counter === counter ? { ...record, ...changes } : record;

describe("a trusted marker", () => {
  it("proves its record and all earlier ones", () => {
    expect(provedBy(chain, markerOf(4))).toEqual([4, 3, 2, 1, 0]);
  });

  it("proves nothing if no record hashes to it, even if a record states it", () => {
    expect(provedBy(chain, "f".repeat(64))).toEqual([]);
    expect(provedBy(chain.map(change(5, { marker: "f".repeat(64) })), "f".repeat(64))).toEqual([]);
  });

  it("proves nothing before a changed record, even without its marker", () => {
    expect(provedBy(chain.map(change(3, { active: 9 })), markerOf(5))).toEqual([5, 4]);
    expect(provedBy(chain.map(change(3, { active: 9, marker: undefined })), markerOf(5))).toEqual([5, 4]);
  });

  it("proves records that do not state their markers", () => {
    const records = chain.map((record) => ({ ...record, marker: undefined }));
    expect(provedBy(records, markerOf(3))).toEqual([3, 2, 1, 0]);
  });

  it("proves nothing through a record without canonical text", () => {
    const records = chain.map(change(3, { extra: { dataType: "bi", value: "zz" } }));
    expect(provedBy(records, markerOf(5))).toEqual([5, 4]);
  });
});
