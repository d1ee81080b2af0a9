/** The network as its lists describe it. */

import { type Boundary, findBoundaries, requireYoung } from "../chain/boundary.ts";
import type { SnapshotTime } from "../chain/timestamp.ts";
import type { CycleRecord } from "../model/cycle.ts";
import { Failure } from "../model/failure.ts";
import type { ActiveNode } from "../model/node.ts";
import { readCycles } from "../network/cycles.ts";
import type { ListContext } from "../network/list-source.ts";
import { readNodeList } from "../network/node-list.ts";
import type { ListSources } from "../network/options.ts";

export interface Network {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Ascending by number. */
  readonly records: readonly CycleRecord[];
  /** What the asked time can mean, the best first. */
  readonly boundaries: readonly Boundary[];
  /** The lists as received. */
  readonly nodeList: Buffer;
  readonly cycles: Buffer;
}

/**
 * @param maxAgeMs how old a boundary that `latest` means may be
 * @throws Failure
 */
export async function readNetwork(
  sources: ListSources,
  time: SnapshotTime,
  context: ListContext,
  maxAgeMs?: number,
): Promise<Network> {
  const { nodes, bytes: nodeList } = await readNodeList(sources, context);
  const { records, bytes: cycles } = await readCycles(sources, time, context);
  const nowMs = Date.now();
  const found = findBoundaries(time, records, nowMs);
  const boundaries = time.kind === "latest" ? requireYoung(found, nowMs, maxAgeMs) : found;
  return { nodes, nodeList, cycles, records, boundaries };
}

/** The geometry of a cycle is that of all nodes that were active in it: what is wrong where it is not. */
export function differentNodes(nodes: readonly ActiveNode[], cycle: CycleRecord): Failure | undefined {
  if (nodes.length === cycle.active) return undefined;
  const listed = `the node list has ${nodes.length} nodes with an ID`;
  return new Failure(
    "configuration",
    `${listed}, but cycle ${cycle.counter} had ${cycle.active} active ones`,
    {
      hint: "The list must be that of the snapshot's cycle: take a newer snapshot, or give the list of that time with --nodes.",
    },
  );
}
