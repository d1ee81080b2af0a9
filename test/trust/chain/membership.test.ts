import { describe, expect, it } from "vitest";
import { asCycle, asNodeId } from "../../../src/protocol/brands.ts";
import type { CycleRecord } from "../../../src/protocol/cycle-record.ts";
import { nodesOfCycle, numNodesOfCycle, type RecordedNode } from "../../../src/trust/chain/membership.ts";
import { recordOf } from "./records.ts";

const idOf = (name: string) => asNodeId(name.repeat(64).slice(0, 64));
const listedOf = (...names: string[]) => names.map((name) => ({ id: idOf(name), from: "list" }));
const recover = ({ id, publicKey, ip, port }: RecordedNode) => ({
  id,
  from: `${publicKey.slice(0, 2)}@${ip}:${port}`,
});

/** A record with changes, in which each node is named by one hex digit. */
function changing(counter: number, changes: Record<string, string[]>, active = 9): CycleRecord {
  const received: Record<string, unknown> = {};
  for (const [field, names] of Object.entries(changes)) {
    received[field] = field.endsWith("Consensors")
      ? names.map(statedOf)
      : names.map((n) => (n === "all" ? n : idOf(n)));
  }
  return recordOf(counter, { received, active });
}

const statedOf = (name: string) => ({
  id: idOf(name),
  publicKey: idOf(name),
  externalIp: "1.2.3.4",
  externalPort: 9001,
});

function names(listed: ReturnType<typeof listedOf>, records: CycleRecord[], cycle: number) {
  const { nodes, unknown } = nodesOfCycle(listed, records, asCycle(cycle), recover);
  return { nodes: nodes.map(({ id }) => id[0]), unknown: unknown.map((id) => id[0]) };
}

describe("the nodes of an earlier cycle", () => {
  it.each([
    {
      id: "those of the list if nothing has changed since",
      listed: listedOf("1", "2", "3"),
      records: [changing(8, { activated: ["3"] }), changing(9, {})],
      nodes: ["1", "2", "3"],
    },
    {
      id: "without a node that a later record activated",
      listed: listedOf("1", "2", "3"),
      records: [changing(8, {}), changing(9, { activated: ["2"] })],
      nodes: ["1", "3"],
    },
    {
      id: "with a node that the snapshot's own record activated",
      listed: listedOf("1", "2"),
      records: [changing(8, { activated: ["2"] }), changing(9, {})],
      nodes: ["1", "2"],
    },
    {
      id: "with nodes that later records removed in each way",
      listed: listedOf("1"),
      records: [
        changing(7, { refreshedConsensors: ["2"], joinedConsensors: ["3"] }),
        changing(8, { activated: ["3"], refreshedConsensors: ["4"] }),
        changing(9, { removed: ["2"] }),
        changing(10, { apoptosized: ["3"], appRemoved: ["4"] }),
      ],
      nodes: ["1", "2", "3", "4"],
    },
    {
      id: "without a node that joined, was activated and was removed later",
      listed: listedOf("1"),
      records: [
        changing(8, {}),
        changing(9, { joinedConsensors: ["5"] }),
        changing(10, { activated: ["5"] }),
        changing(11, { removed: ["5"] }),
      ],
      nodes: ["1"],
    },
    {
      id: "without a node that was removed before it was active",
      listed: listedOf("1"),
      records: [
        changing(7, { joinedConsensors: ["5"] }),
        changing(8, {}),
        changing(9, { apoptosized: ["5"] }),
      ],
      nodes: ["1"],
    },
    {
      id: "those that the records before a shutdown state, if it removed every node",
      listed: listedOf("9"),
      records: [
        changing(5, { joinedConsensors: ["1", "2"], removed: ["all"] }),
        changing(6, { refreshedConsensors: ["3", "6"], activated: ["2"] }),
        changing(7, { refreshedConsensors: ["4", "5"] }),
        changing(8, { removed: ["3"] }),
        changing(9, { apoptosized: ["4"] }),
        changing(10, { removed: ["all"], joinedConsensors: ["9"] }),
        changing(11, { activated: ["9"] }),
      ],
      nodes: ["2", "4", "5", "6"],
    },
    {
      id: "with a lost node that no later record removed",
      listed: listedOf("1", "2"),
      records: [changing(8, {}), changing(9, { lost: ["2"] })],
      nodes: ["1", "2"],
    },
  ])("are $id", ({ listed, records, nodes }) => {
    expect(names(listed, records, 8)).toEqual({ nodes, unknown: [] });
  });

  it("have the key and address of a record if they were removed since", () => {
    const records = [changing(8, { refreshedConsensors: ["2"] }), changing(9, { removed: ["2"] })];
    expect(nodesOfCycle(listedOf("1"), records, asCycle(8), recover).nodes[1]).toEqual({
      id: idOf("2"),
      from: "22@1.2.3.4:9001",
    });
  });

  it("are reported as unknown if no record states their key", () => {
    const records = [changing(8, {}), changing(9, { removed: ["7"] }), changing(10, {})];
    expect(names([], records, 8)).toEqual({ nodes: [], unknown: ["7"] });
  });
});

describe("the number of nodes of a cycle", () => {
  it("is the active count of the next record, which counts before its own changes", () => {
    const cycle = changing(8, { activated: ["3"] }, 2);
    expect(numNodesOfCycle([cycle, changing(9, { removed: ["1"] }, 3)], cycle)).toBe(3);
  });

  it("follows from the cycle's own record if that is the newest", () => {
    const joined = changing(7, { joinedConsensors: ["6"] });
    const cycle = changing(8, { activated: ["3", "4"], removed: ["1"], apoptosized: ["6"] }, 5);
    expect(numNodesOfCycle([joined, cycle], cycle)).toBe(6);
    const shutdown = changing(8, { removed: ["all"] }, 5);
    expect(numNodesOfCycle([shutdown], shutdown)).toBe(0);
  });
});
