/** Reads the node list and the cycle records of a network, and finds the boundaries that a snapshot time can mean. */

import { errorOf, type Problem } from "../errors/problem.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { sleep } from "../fetch/sleep.ts";
import { latestCandidatesMax, recordsRereadMs } from "../limits/network.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import type { ActiveNode } from "../protocol/node.ts";
import type { CycleRecords } from "../wire/cycle-records.ts";
import type { NodeList } from "../wire/node-list.ts";
import { type Boundary, findBoundaries, requireRecent } from "./chain/boundary.ts";
import { type CycleNodes, cycleNodesOf, differentNodes } from "./chain/cycle-nodes.ts";
import { numNodesOfCycle } from "./chain/membership.ts";
import type { SnapshotTime } from "./chain/timestamp.ts";
import type { ListContext, Received } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";
import { extendCycles, readCycles } from "./read-cycles.ts";
import { readNodeList, whyInactive } from "./read-node-list.ts";

/** A boundary with the nodes of its cycle. */
export interface Candidate extends Boundary {
  readonly members: CycleNodes;
  /** The problem if the number of nodes differs from that in the chain, so that votes cannot be counted. */
  readonly different: Problem | undefined;
}

export interface Network {
  /** The active nodes, in ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  /** The problem if no node is active; the nodes of earlier cycles are then known only from the records. */
  readonly inactive: Problem | undefined;
  /** Ascending by number. */
  readonly records: readonly CycleRecord[];
  /** The boundaries that the snapshot time can mean, the best first. */
  readonly candidates: readonly Candidate[];
  /** The network's list of transactions as received, where it was read. */
  readonly txList?: Buffer | undefined;
  /** The archivers that were seen up, as received, where the list was read. */
  readonly archivers?: Buffer | undefined;
  /** The lists as received. */
  readonly nodeList: Buffer;
  readonly cycles: Buffer;
}

/**
 * @param maxAgeMs the largest age of a boundary for `latest`
 * @throws SnapshotError
 */
export async function readNetwork(
  sources: ListSources,
  time: SnapshotTime,
  context: ListContext,
  maxAgeMs?: number,
): Promise<Network> {
  // The node list is read first: it may be older than the newest record, whose changes are undone in any case.
  const list = await readNodeList(sources, context);
  const read = async () => {
    const warnings: string[] = [];
    const collecting = { ...context, warn: (message: string) => warnings.push(message) };
    return {
      network: await readCandidates(list, { sources, time, context: collecting, maxAgeMs }),
      warnings,
    };
  };
  let result = await read();
  // An archiver may have updated its list before it stored the record of the change.
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
  // In a network mode without active nodes, the records may still state all nodes of an earlier cycle.
  if (inactive !== undefined && inactive.code !== "temporary") throw errorOf(inactive);
  const nowMs = Date.now();
  const found = findBoundaries(time, newest.records, nowMs);
  const recent = time.kind === "latest" ? requireRecent(found, nowMs, maxAgeMs) : found;
  const boundaries = recent.slice(0, latestCandidatesMax);
  const cycles = await readUntilKnown(newest, boundaries, { list: list.nodes, sources, context });
  const isFromFile = sources.nodes !== undefined || sources.cycles !== undefined;
  const isPermanent = isFromFile || list.skipped.count > 0 || list.withoutId > 0;
  const all = boundaries.map((boundary): Candidate => {
    const members = cycleNodesOf(list.nodes, cycles.records, boundary.cycle);
    const different = differentNodes(members, cycles.records, boundary.cycle, isPermanent);
    return { ...boundary, members, different };
  });
  const withState =
    time.kind === "latest" && inactive === undefined ? requireState(all, cycles.records) : all;
  const candidates =
    inactive === undefined ? withState : withState.filter(({ different }) => different === undefined);
  if (inactive !== undefined && candidates.length === 0) throw errorOf(inactive);
  return {
    nodes: list.nodes,
    inactive,
    nodeList: list.bytes,
    cycles: cycles.bytes,
    records: cycles.records,
    candidates,
  };
}

/** Returns the candidates that have a state: the first cycles of a network that begins again have no active nodes. */
function requireState(candidates: readonly Candidate[], records: readonly CycleRecord[]): Candidate[] {
  const withState = candidates.filter(({ cycle }) => numNodesOfCycle(records, cycle) > 0);
  if (withState.length > 0 || candidates.length === 0) return withState;
  throw new SnapshotError("temporary", "the newest cycles have no active nodes and therefore no state", {
    hint: "Try again when the network processes transactions, or give the timestamp of an earlier snapshot.",
  });
}

/** Reads older records if the known ones do not state all nodes of the boundaries' cycles. */
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

/** Returns the number of records that together state every active node: each record refreshes √N of them in turn. */
function refreshCycles(active: number): number {
  return 2 * Math.floor(Math.sqrt(active)) + 2;
}
