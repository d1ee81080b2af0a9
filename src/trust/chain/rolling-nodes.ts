/**
 * The nodes of cycle after cycle, from those of one cycle and the records after it: the other direction of membership.ts.
 * A record activates nodes that earlier records state, and removes nodes.
 */

import { asCycle, type Cycle, type NodeId, type PublicKey } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { EVERY_NODE, idsIn, removedBy, type StatingField, statedIn } from "./record-changes.ts";

const statingFields: readonly StatingField[] = ["joinedConsensors", "refreshedConsensors"];

/** Returns the keys of nodes that a record states. */
export function statedKeys(record: CycleRecord): (readonly [NodeId, PublicKey])[] {
  return statingFields.flatMap((field) =>
    statedIn(record, field).flatMap(({ id, node }) =>
      node === undefined ? [] : [[id, node.publicKey] as const],
    ),
  );
}

export class RollingNodes {
  #cycle: Cycle;
  readonly #active: Map<NodeId, PublicKey | undefined>;
  /** Keys of nodes that joined and are not active yet. */
  readonly #joined = new Map<NodeId, PublicKey>();
  readonly #olderKey: (id: NodeId) => PublicKey | undefined;

  /**
   * @param active the nodes of the cycle
   * @param olderKey returns the key of a node that joined before the cycle ended
   */
  constructor(
    cycle: Cycle,
    active: Iterable<readonly [NodeId, PublicKey | undefined]>,
    olderKey: (id: NodeId) => PublicKey | undefined,
  ) {
    this.#cycle = cycle;
    this.#active = new Map(active);
    this.#olderKey = olderKey;
  }

  get cycle(): Cycle {
    return this.#cycle;
  }

  /** The active nodes with their keys, which are `undefined` if no record states them. */
  get active(): ReadonlyMap<NodeId, PublicKey | undefined> {
    return this.#active;
  }

  /** @param record that of the next cycle */
  apply(record: CycleRecord): void {
    if (record.counter !== this.#cycle + 1)
      throw new RangeError(`record ${record.counter} does not follow ${this.#cycle}`);
    this.#cycle = asCycle(record.counter);
    for (const [id, key] of statedKeys(record)) {
      if (!this.#active.has(id)) this.#joined.set(id, key);
      // A key that is known stays: it is the one that signed so far.
      else this.#active.set(id, this.#active.get(id) ?? key);
    }
    for (const id of idsIn(record, "activated")) {
      this.#active.set(id, this.#joined.get(id) ?? this.#active.get(id) ?? this.#olderKey(id));
      this.#joined.delete(id);
    }
    const removed = removedBy(record);
    if (removed === EVERY_NODE) {
      this.#active.clear();
      this.#joined.clear();
      return;
    }
    for (const id of removed) {
      this.#active.delete(id);
      this.#joined.delete(id);
    }
  }
}
