import { describe, expect, it } from "vitest";
import { asCycle, asNodeId, asPublicKey } from "../../../src/protocol/brands.ts";
import type { ActiveNode } from "../../../src/protocol/node.ts";
import { cycleNodesOf, describeUnknown, differentNodes } from "../../../src/trust/chain/cycle-nodes.ts";
import { asNodeIds } from "../../helpers/brands.ts";
import { recordOf } from "./records.ts";

const idOf = (digit: string) => digit.repeat(64);
const nodeOf = (digit: string): ActiveNode => ({
  id: asNodeId(idOf(digit)),
  url: `http://${digit}`,
  publicKey: asPublicKey(idOf(digit)),
});
const listed = ["1", "2", "4"].map(nodeOf);

describe("the nodes of a cycle", () => {
  it("are the listed ones if nothing has changed since", () => {
    const { nodes, unknown } = cycleNodesOf(listed, [recordOf(7), recordOf(8)], recordOf(7));
    expect([nodes, unknown]).toEqual([listed, []]);
  });

  it("include a node that has left since, with the key and address that a record states", () => {
    const joined = { id: idOf("3"), publicKey: idOf("a"), externalIp: "::1", externalPort: 9001 };
    const records = [
      recordOf(7, { received: { refreshedConsensors: [joined] } }),
      recordOf(8, { received: { removed: [idOf("3")] } }),
    ];
    const { nodes, unknown } = cycleNodesOf(listed, records, recordOf(7));
    expect(nodes.map(({ id }) => id)).toEqual(["1", "2", "3", "4"].map(idOf));
    expect(nodes[2]).toEqual({ id: idOf("3"), publicKey: idOf("a"), url: "http://[::1]:9001" });
    expect(unknown).toEqual([]);
  });

  it("include a node that has left and that no record describes, without a key", () => {
    const records = [recordOf(7), recordOf(8, { received: { apoptosized: [idOf("3")] } })];
    const members = cycleNodesOf(listed, records, recordOf(7));
    expect(members.nodes[2]).toEqual({ id: idOf("3"), publicKey: undefined, url: undefined });
    expect(members.unknown).toEqual([idOf("3")]);
    expect(describeUnknown(members, asCycle(7))).toBe(
      "no record states the key of a node of cycle 7 (33333333): votes without a known key cannot be counted",
    );
  });

  it("that are all known need no description, and of many unknown ones three are shown", () => {
    expect(describeUnknown({ nodes: listed, unknown: [] }, asCycle(7))).toBeUndefined();
    const unknown = ["5", "6", "7", "8", "9"].map(idOf);
    expect(describeUnknown({ nodes: [], unknown: asNodeIds(unknown) }, asCycle(7))).toContain(
      "5 nodes of cycle 7 (55555555, 66666666, 77777777, and 2 more)",
    );
  });
});

describe("the number of nodes", () => {
  const records = [recordOf(7), recordOf(8, { active: 3 })];
  const members = { nodes: listed, unknown: [] };

  it("is not an error if it is that of the chain", () => {
    expect(differentNodes(members, records, recordOf(7), false)).toBeUndefined();
  });

  it("that differs is temporary, or permanent if the lists cannot change", () => {
    const two = { nodes: listed.slice(1), unknown: [] };
    const message = "the node list gives 2 nodes for cycle 7, but the chain has 3";
    expect(differentNodes(two, records, recordOf(7), false)).toMatchObject({ code: "temporary", message });
    expect(differentNodes(two, records, recordOf(7), true)).toMatchObject({ code: "node-list", message });
  });

  it("of zero in the chain is a cycle without state", () => {
    const shutDown = [recordOf(7), recordOf(8, { active: 0 })];
    expect(differentNodes(members, shutDown, recordOf(7), false)).toMatchObject({
      code: "configuration",
      message: "cycle 7 has no active nodes and therefore no state",
    });
  });
});
