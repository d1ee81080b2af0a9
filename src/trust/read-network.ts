/** The network as its lists describe it. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { sleep } from "../fetch/sleep.ts";
import { latestCandidatesMax, recordsRereadMs } from "../limits/network.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import type { ActiveNode } from "../protocol/node.ts";
import type { CycleRecords } from "../wire/cycle-records.ts";
import type { NodeList } from "../wire/node-list.ts";
import { type Boundary, findBoundaries, requireYoung } from "./chain/boundary.ts";
import { type CycleNodes, cycleNodesOf, differentNodes } from "./chain/cycle-nodes.ts";
import type { SnapshotTime } from "./chain/timestamp.ts";
import type { ListContext, Received } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";
import { extendCycles, readCycles } from "./read-cycles.ts";
import { readNodeList, whyInactive } from "./read-node-list.ts";

/** A boundary, and the nodes of its cycle. */
export interface Candidate extends Boundary {
  readonly members: CycleNodes;
  /** Why its votes cannot be counted: the nodes are not as many as the chain counts. */
  readonly different: SnapshotError | undefined;
}

export interface Network {
  /** Those that are active now, in ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** Why nobody is active now: then all that is known of the nodes of earlier cycles is from the records. */
  readonly inactive: SnapshotError | undefined;
  /** Ascending by number. */
  readonly records: readonly CycleRecord[];
  /** What the asked time can mean, the best first. */
  readonly candidates: readonly Candidate[];
  /** The lists as received. */
  readonly nodeList: Buffer;
  readonly cycles: Buffer;
}

/**
 * @param maxAgeMs how old a boundary that `latest` means may be
 * @throws SnapshotError
 */
export async function readNetwork(
  sources: ListSources,
  time: SnapshotTime,
  context: ListContext,
  maxAgeMs?: number,
): Promise<Network> {
  // In this order: a list may be older than the newest record, whose changes are undone either way.
  const list = await readNodeList(sources, context);
  const read = async () => {
    const warnings: string[] = [];
    const told = { ...context, warn: (message: string) => warnings.push(message) };
    return { network: await readCandidates(list, { sources, time, context: told, maxAgeMs }), warnings };
  };
  let result = await read();
  // An archiver may have changed its list, and not stored the record yet that says why.
  if (result.network.candidates[0]?.different?.code === "temporary") {
    await sleep(recordsRereadMs, context.signal);
    result = await read();
  }
  for (const warning of result.warnings) context.warn(warning);
  return result.network;
}

interface CandidateSearch {
  readonly sources: ListSources;
  readonly time: SnapshotTime;
  readonly context: ListContext;
  readonly maxAgeMs: number | undefined;
}

async function readCandidates(
  list: Received<NodeList>,
  { sources, time, context, maxAgeMs }: CandidateSearch,
): Promise<Network> {
  const newest = await readCycles(sources, time, context);
  const isEmpty = newest.records.length === 0 && newest.skipped.count === 0;
  if (isEmpty && sources.cycles === undefined) {
    throw new SnapshotError("temporary", "the archiver has no cycle records yet", {
      hint: "Try again when the network has begun its first cycle.",
    });
  }
  const inactive = whyInactive(list, newest.records.at(-1));
  // In a mode without active nodes, the records may still state all nodes of an earlier cycle.
  if (inactive !== undefined && inactive.code !== "temporary") throw inactive;
  const nowMs = Date.now();
  const found = findBoundaries(time, newest.records, nowMs);
  const young = time.kind === "latest" ? requireYoung(found, nowMs, maxAgeMs) : found;
  const boundaries = young.slice(0, latestCandidatesMax);
  const cycles = await readUntilKnown(newest, boundaries, { list: list.nodes, sources, context });
  const isFromFile = sources.nodes !== undefined || sources.cycles !== undefined;
  const isLasting = isFromFile || list.skipped.count > 0 || list.withoutId > 0;
  const all = boundaries.map((boundary): Candidate => {
    const members = cycleNodesOf(list.nodes, cycles.records, boundary.cycle);
    const different = differentNodes(members, cycles.records, boundary.cycle, isLasting);
    return { ...boundary, members, different };
  });
  const candidates = inactive === undefined ? all : all.filter(({ different }) => different === undefined);
  if (inactive !== undefined && candidates.length === 0) throw inactive;
  return {
    nodes: list.nodes,
    inactive,
    nodeList: list.bytes,
    cycles: cycles.bytes,
    records: cycles.records,
    candidates,
  };
}

/** Reads records before a cycle, where those that are known do not state who all of its nodes are. */
async function readUntilKnown(
  known: Received<CycleRecords>,
  boundaries: readonly Boundary[],
  { list, sources, context }: { list: readonly ActiveNode[]; sources: ListSources; context: ListContext },
): Promise<Received<CycleRecords>> {
  const first = boundaries.flatMap(({ cycle }) => {
    const members = cycleNodesOf(list, known.records, cycle);
    const isKnown =
      members.unknown.length === 0 && differentNodes(members, known.records, cycle, false) === undefined;
    return isKnown ? [] : [cycle.counter - refreshCycles(cycle.active)];
  });
  return first.length === 0 ? known : await extendCycles(known, Math.min(...first), sources, context);
}

/** Within how many records each of the active nodes is stated again: each record refreshes √N of them in turn. */
function refreshCycles(active: number): number {
  return 2 * Math.floor(Math.sqrt(active)) + 2;
}
