/** Who could sign a receipt of a cycle: the nodes of each cycle from the snapshot's on, and of a few before. */

import { formingCyclesMax, rememberedCycles, searchedRecordsMax } from "../../limits/resume.ts";
import { asCycle, asNodeIndex, type NodeId, type NodeIndex, type PublicKey } from "../../protocol/brands.ts";
import { consensusRadiusOf, makeShard, type Shard } from "../../protocol/shard.ts";
import { RollingNodes, statedKeys } from "../../trust/chain/rolling-nodes.ts";
import type { RecordChain } from "./record-chain.ts";

/** The nodes of a cycle. */
export interface CycleMembers {
  readonly shard: Shard;
  readonly indexOf: ReadonlyMap<PublicKey, NodeIndex>;
  /** How many validators vote on an account: the size of a group, also if fewer are active. */
  readonly groupSize: number;
}

/** The nodes of one cycle, for another process. A key is null if no record states it. */
export interface ListedMembers {
  readonly cycle: number;
  readonly nodes: readonly (readonly [NodeId, PublicKey | null])[];
}

export class MembersOfCycles {
  readonly #chain: RecordChain;
  readonly #nodesPerConsensusGroup: number;
  readonly #known = new Map<number, CycleMembers | string>();
  readonly #rolling: RollingNodes;
  #olderKeys: Map<NodeId, PublicKey> | undefined;
  /** The first cycle without a record. */
  #end = Number.POSITIVE_INFINITY;

  /** @param lists those of the snapshot's cycle, and of cycles before it; the snapshot's last */
  constructor(chain: RecordChain, lists: readonly ListedMembers[], nodesPerConsensusGroup: number) {
    const newest = lists.at(-1);
    if (newest === undefined) throw new RangeError("without the nodes of the snapshot's cycle");
    this.#chain = chain;
    this.#nodesPerConsensusGroup = nodesPerConsensusGroup;
    for (const { cycle, nodes } of lists) this.#remember(cycle, nodes);
    const active = newest.nodes.map(([id, key]) => [id, key ?? undefined] as const);
    this.#rolling = new RollingNodes(asCycle(newest.cycle), active, (id) => this.#olderKey(id));
  }

  /**
   * Returns the nodes of a cycle, or why they are not known. Cycles are asked for in about ascending order.
   *
   * @throws SnapshotError `chain` if the records do not form a chain
   */
  of(cycle: number): CycleMembers | string {
    while (this.#rolling.cycle < cycle && cycle < this.#end) {
      const record = this.#chain.next();
      if (record === undefined) {
        this.#end = this.#rolling.cycle + 1;
        break;
      }
      this.#rolling.apply(record);
      this.#remember(
        record.counter,
        [...this.#rolling.active].map(([id, key]) => [id, key ?? null] as const),
      );
    }
    const known = this.#known.get(cycle);
    if (known !== undefined) return known;
    if (cycle >= this.#end)
      return `the archiver has no record of cycle ${this.#end}, so the nodes of cycle ${cycle} are unknown`;
    return `the nodes of cycle ${cycle} are unknown: it is long before the receipts around it`;
  }

  #remember(cycle: number, nodes: ListedMembers["nodes"]): void {
    if (this.#known.size >= rememberedCycles) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(cycle, this.#membersOf(cycle, nodes));
  }

  #membersOf(cycle: number, nodes: ListedMembers["nodes"]): CycleMembers | string {
    const numNodes = nodes.length;
    if (numNodes === 0) return `cycle ${cycle} has no active node`;
    const nodesPerConsensusGroup = this.#nodesPerConsensusGroup;
    const ascending = nodes.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const indexOf = new Map<PublicKey, NodeIndex>();
    for (const [index, [, key]] of ascending.entries()) {
      if (key !== null) indexOf.set(key, asNodeIndex(index));
    }
    // An even group is rounded up to an odd one.
    const group = 2 * consensusRadiusOf(nodesPerConsensusGroup) + 1;
    const isForming = numNodes < group && cycle <= formingCyclesMax;
    const shard = makeShard({ numNodes, nodesPerConsensusGroup });
    return { shard, indexOf, groupSize: isForming ? numNodes : group };
  }

  /** Returns the key of a node that joined before the snapshot's cycle ended. */
  #olderKey(id: NodeId): PublicKey | undefined {
    this.#olderKeys ??= this.#readOlderKeys();
    return this.#olderKeys.get(id);
  }

  #readOlderKeys(): Map<NodeId, PublicKey> {
    const keys = new Map<NodeId, PublicKey>();
    let searched = 0;
    for (const record of this.#chain.before()) {
      for (const [id, key] of statedKeys(record)) if (!keys.has(id)) keys.set(id, key);
      if (++searched === searchedRecordsMax) break;
    }
    return keys;
  }
}
