import { describe, expect, it } from "vitest";
import { asCycle, asNodeId, asPublicKey } from "../../../src/protocol/brands.ts";
import type { CycleRecord } from "../../../src/protocol/cycle-record.ts";
import { RollingNodes } from "../../../src/trust/chain/rolling-nodes.ts";

const idOf = (number: number) => asNodeId(String(number).repeat(64));
const keyOf = (number: number) => asPublicKey(String(number).padStart(64, "0"));
const stated = (number: number, key = number) => {
  return { id: idOf(number), publicKey: keyOf(key), externalIp: "127.0.0.1", externalPort: 9 };
};

function record(counter: number, received: object): CycleRecord {
  const fields = { start: 0, duration: 60, active: 0, networkDataHash: [] };
  return { ...fields, counter: asCycle(counter), received: { ...received } };
}

/** Returns number → key of the nodes after records that follow cycle 7. */
function nodesAfter(...changes: object[]): Record<string, string | undefined> {
  const rolling = new RollingNodes(
    asCycle(7),
    [1, 2].map((number) => [idOf(number), keyOf(number)] as const),
    (id) => (id === idOf(9) ? keyOf(9) : undefined),
  );
  for (const [index, change] of changes.entries()) rolling.apply(record(8 + index, change));
  return Object.fromEntries([...rolling.active].map(([id, key]) => [id[0], key?.replace(/^0+/, "")]));
}

describe("the nodes of the cycles after one", () => {
  it("stay without changes", () => {
    expect(nodesAfter({}, {})).toEqual({ 1: "1", 2: "2" });
  });

  it("grow by nodes that records activate, which joined earlier", () => {
    expect(nodesAfter({ joinedConsensors: [stated(3)] })).toEqual({ 1: "1", 2: "2" });
    const joined = nodesAfter({ joinedConsensors: [stated(3)] }, { activated: [idOf(3)] });
    expect(joined).toEqual({ 1: "1", 2: "2", 3: "3" });
  });

  it("have the keys of nodes that joined before, where an older record states them", () => {
    expect(nodesAfter({ activated: [idOf(9), idOf(8)] })).toEqual({ 1: "1", 2: "2", 9: "9", 8: undefined });
    const refreshed = nodesAfter({ activated: [idOf(8)] }, { refreshedConsensors: [stated(8)] });
    expect(refreshed).toEqual({ 1: "1", 2: "2", 8: "8" });
  });

  it("keep the keys that they have, whatever a later record states", () => {
    expect(nodesAfter({ refreshedConsensors: [stated(1, 5)] })).toEqual({ 1: "1", 2: "2" });
  });

  it.each(["apoptosized", "removed", "appRemoved"])("shrink by nodes in the field %s", (field) => {
    expect(nodesAfter({ [field]: [idOf(1)] })).toEqual({ 2: "2" });
  });

  it("are none after a shutdown", () => {
    expect(nodesAfter({ removed: ["all"] })).toEqual({});
    const again = nodesAfter(
      { removed: ["all"] },
      { joinedConsensors: [stated(3)] },
      { activated: [idOf(3)] },
    );
    expect(again).toEqual({ 3: "3" });
  });

  it("follow from each record in turn", () => {
    const rolling = new RollingNodes(asCycle(7), [], () => undefined);
    expect(() => rolling.apply(record(9, {}))).toThrow("record 9 does not follow 7");
  });
});
