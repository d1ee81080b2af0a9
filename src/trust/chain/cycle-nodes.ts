/**
 * The nodes of a cycle, which form its ring. Nodes that have left since, and nodes whose keys are unknown, are included:
 * they determine which nodes vote on and store each partition.
 */

import type { Problem } from "../../errors/problem.ts";
import type { Cycle, NodeId } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { type ActiveNode, shortId } from "../../protocol/node.ts";
import { counted } from "../../text/counted.ts";
import { urlOfAddress } from "../../wire/node-list.ts";
import { nodesOfCycle, numNodesOfCycle, type RecordedNode } from "./membership.ts";

export interface CycleNodes {
  /** All nodes of the cycle, in ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** IDs of nodes that have left and whose keys no record states. Their votes cannot be counted. */
  readonly unknown: readonly NodeId[];
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
  const withoutKey = unknown.map((id): ActiveNode => ({ id, url: undefined, publicKey: undefined }));
  const sorted = [...nodes, ...withoutKey].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { nodes: sorted, unknown };
}

/**
 * Returns the problem if the number of nodes differs from that in the chain: votes could not be counted correctly.
 *
 * @param isPermanent whether reading the lists again cannot help, for example because one is from a file
 */
export function differentNodes(
  { nodes }: CycleNodes,
  records: readonly CycleRecord[],
  cycle: CycleRecord,
  isPermanent: boolean,
): Problem | undefined {
  const expected = numNodesOfCycle(records, cycle);
  if (expected === 0) {
    return {
      code: "configuration",
      message: `cycle ${cycle.counter} has no active nodes and therefore no state`,
      hint: "Choose a later cycle, or an earlier one if the network was shut down in this one.",
    };
  }
  if (nodes.length === expected) return undefined;
  const message = `the node list gives ${counted(nodes.length, "node")} for cycle ${cycle.counter}, but the chain has ${expected}`;
  if (isPermanent) {
    return {
      code: "node-list",
      message,
      hint: "Use another archiver with --archiver, or give the list of that time with --nodes and its records with --cycles.",
    };
  }
  return {
    code: "temporary",
    message,
    hint: "Try again in a minute: the archiver may not have the newest record yet. If that does not help, choose a newer snapshot, or give the list of that time with --nodes.",
  };
}

/** Describes the nodes whose votes cannot be counted; `undefined` if there are none. */
export function describeUnknown({ unknown }: CycleNodes, cycle: Cycle): string | undefined {
  if (unknown.length === 0) return undefined;
  const shown = unknown.slice(0, nodesShown).map(shortId).join(", ");
  const more = unknown.length > nodesShown ? `, and ${unknown.length - nodesShown} more` : "";
  const who = unknown.length === 1 ? "a node" : `${unknown.length} nodes`;
  return `no record states the key of ${who} of cycle ${cycle} (${shown}${more}): votes without a known key cannot be counted`;
}

const nodesShown = 3;

function activeNodeOf({ id, publicKey, ip, port }: RecordedNode): ActiveNode {
  return { id, publicKey, url: urlOfAddress(ip, port) };
}
