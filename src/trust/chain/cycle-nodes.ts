/**
 * The nodes of a cycle as the places of its ring: who may vote and who holds what is counted by all of them, whether
 * or not they are still there, and whether or not their keys are known.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { type ActiveNode, shortId } from "../../protocol/node.ts";
import { counted } from "../../text/counted.ts";
import { urlOfAddress } from "../../wire/node-list.ts";
import { nodesOfCycle, numNodesOfCycle, type RecordedNode } from "./membership.ts";

export interface CycleNodes {
  /** In ascending order of ID; all of them, as many as the geometry has. */
  readonly nodes: readonly ActiveNode[];
  /** IDs of those that have left and whose keys no record states: their votes cannot be counted. */
  readonly unknown: readonly string[];
}

/**
 * @param listed the nodes after the newest record
 * @param records ascending by number, the newest included
 */
export function cycleNodesOf(
  listed: readonly ActiveNode[],
  records: readonly CycleRecord[],
  cycle: CycleRecord,
): CycleNodes {
  const { nodes, unknown } = nodesOfCycle(listed, records, cycle.counter, activeNodeOf);
  const places = unknown.map((id): ActiveNode => ({ id, url: undefined, publicKey: undefined }));
  const sorted = [...nodes, ...places].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { nodes: sorted, unknown };
}

/**
 * What is wrong where the nodes are not as many as the chain counts: nothing could be counted rightly.
 *
 * @param isLasting whether another reading of the lists would be no different, as where one is from a file
 */
export function differentNodes(
  { nodes }: CycleNodes,
  records: readonly CycleRecord[],
  cycle: CycleRecord,
  isLasting: boolean,
): SnapshotError | undefined {
  const expected = numNodesOfCycle(records, cycle);
  if (expected === 0) {
    return new SnapshotError("configuration", `cycle ${cycle.counter} has no active nodes, and so no state`, {
      hint: "Take a later cycle, or an earlier one if the network was shut down with this one.",
    });
  }
  if (nodes.length === expected) return undefined;
  const problem = `the node list comes to ${counted(nodes.length, "node")} of cycle ${cycle.counter}, but the chain counts ${expected}`;
  if (isLasting) {
    return new SnapshotError("node-list", problem, {
      hint: "Ask another archiver with --archiver, or give the list of that time with --nodes and its records with --cycles.",
    });
  }
  return new SnapshotError("temporary", problem, {
    hint: "Try again in a minute: the archiver may not have the newest record yet. If that does not help, take a newer snapshot, or give the list of that time with --nodes.",
  });
}

/** Says which nodes' votes cannot be counted; `undefined` where all can. */
export function describeUnknown({ unknown }: CycleNodes, cycle: number): string | undefined {
  if (unknown.length === 0) return undefined;
  const shown = unknown.slice(0, nodesShown).map(shortId).join(", ");
  const more = unknown.length > nodesShown ? `, and ${unknown.length - nodesShown} more` : "";
  const who = unknown.length === 1 ? "a node" : `${unknown.length} nodes`;
  return `no record states the key of ${who} of cycle ${cycle} (${shown}${more}): such a vote cannot be counted`;
}

const nodesShown = 3;

function activeNodeOf({ id, publicKey, ip, port }: RecordedNode): ActiveNode {
  return { id, publicKey, url: urlOfAddress(ip, port) };
}
