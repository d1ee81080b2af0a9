/**
 * Determines the nodes of an earlier cycle (PROTOCOL.md, Time). An archiver lists the nodes after its newest record. The
 * nodes of cycle c are those that are active after record c is applied, so the changes of later records are undone, the
 * newest first. The key and address of a removed node are in the records of its joining and its refreshes.
 *
 * `lost` is not a change: it reports a node, which `apoptosized` of a later record removes unless the node refutes it.
 */

import type { Cycle, NodeId } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import {
  EVERY_NODE,
  idsIn,
  type RecordedNode,
  refreshedIn,
  removedBy,
  type StatingField,
  statedIn,
} from "./record-changes.ts";

export type { RecordedNode };

export interface CycleMembership<T> {
  /** In ascending order of ID. */
  readonly nodes: readonly T[];
  /** Nodes of the cycle whose key and address no record states. */
  readonly unknown: readonly NodeId[];
}

/**
 * @param listed the nodes after the newest record
 * @param records ascending by number, up to the newest
 * @param cycle the number of the cycle
 * @param recover converts a node that a record states
 */
export function nodesOfCycle<T extends { readonly id: NodeId }>(
  listed: readonly T[],
  records: readonly CycleRecord[],
  cycle: Cycle,
  recover: (node: RecordedNode) => T | undefined,
): CycleMembership<T> {
  const nodes = new Map(listed.map((node) => [node.id, node]));
  const unknown = new Set<NodeId>();
  const stated = new StatedNodes(records);
  for (const record of records.filter(({ counter }) => counter > cycle).reverse()) {
    for (const id of idsIn(record, "activated")) {
      nodes.delete(id);
      unknown.delete(id);
    }
    const removed = removedBy(record);
    const back = removed === EVERY_NODE ? stated.activeBefore(record) : removed;
    for (const id of back) {
      if (nodes.has(id) || stated.wasSyncing(id, record.counter)) continue;
      const recorded = stated.get(id);
      const node = recorded === undefined ? undefined : recover(recorded);
      if (node === undefined) unknown.add(id);
      else nodes.set(id, node);
    }
  }
  const sorted = [...nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { nodes: sorted, unknown: [...unknown].sort() };
}

/**
 * Returns the number of nodes of cycle c: the `active` of record c+1, which counts nodes before its own changes. If
 * that record does not exist yet, it is the `active` of record c with the changes of record c.
 */
export function numNodesOfCycle(records: readonly CycleRecord[], cycle: CycleRecord): number {
  const next = records.find(({ counter }) => counter === cycle.counter + 1);
  if (next !== undefined) return next.active;
  const removed = removedBy(cycle);
  if (removed === EVERY_NODE) return 0;
  const stated = new StatedNodes(records);
  const leaving = removed.filter((id) => !stated.wasSyncing(id, cycle.counter));
  return cycle.active + idsIn(cycle, "activated").length - leaving.length;
}

/** An index of the nodes that records state. It is built once, because an archiver can send very many records. */
class StatedNodes {
  readonly #records: readonly CycleRecord[];
  readonly #nodes = new Map<NodeId, RecordedNode>();
  /** Node ID → the numbers of the records in which it joined or was activated, ascending. */
  readonly #joined = new Map<NodeId, number[]>();
  readonly #activated = new Map<NodeId, number[]>();

  /** @param records ascending by number */
  constructor(records: readonly CycleRecord[]) {
    this.#records = records;
    for (const record of records) {
      const { counter } = record;
      for (const id of idsIn(record, "activated")) note(this.#activated, id, counter);
      for (const id of this.#take(record, "joinedConsensors")) note(this.#joined, id, counter);
      this.#take(record, "refreshedConsensors");
    }
  }

  get(id: NodeId): RecordedNode | undefined {
    return this.#nodes.get(id);
  }

  /**
   * Returns the nodes that were active before a record, as far as earlier records state them: each record refreshes
   * some active nodes, so that 2 √N + 2 records refresh all of them.
   */
  activeBefore({ counter: end }: CycleRecord): NodeId[] {
    const active = new Set<NodeId>();
    for (const record of this.#records) {
      if (record.counter >= end) break;
      for (const id of [...idsIn(record, "activated"), ...refreshedIn(record)]) active.add(id);
      const removed = removedBy(record);
      if (removed === EVERY_NODE) active.clear();
      else for (const id of removed) active.delete(id);
    }
    return [...active];
  }

  /** Returns whether a node had joined and was not active yet before the given record. */
  wasSyncing(id: NodeId, counter: number): boolean {
    const joined = this.#joined.get(id)?.findLast((at) => at < counter);
    if (joined === undefined) return false;
    const activated = this.#activated.get(id)?.findLast((at) => at < counter) ?? -1;
    return activated <= joined;
  }

  /** Keeps the newest statement of each node in a field of a record. Returns the IDs. */
  #take(record: CycleRecord, field: StatingField): NodeId[] {
    return statedIn(record, field).map(({ id, node }) => {
      if (node !== undefined) this.#nodes.set(id, node);
      return id;
    });
  }
}

function note(counters: Map<NodeId, number[]>, id: NodeId, counter: number): void {
  const known = counters.get(id);
  if (known === undefined) counters.set(id, [counter]);
  else known.push(counter);
}
