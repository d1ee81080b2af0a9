/**
 * The nodes of each cycle as the transaction log states them, and the geometry that follows from them: the nodes of cycle
 * c are those that are active after record c takes effect (PROTOCOL.md, Time).
 */

import type { Cycle, NodeId, NodeIndex, PublicKey } from "../../../protocol/brands.ts";
import { type ActiveNode, indexesOf } from "../../../protocol/node.ts";
import { makeShard, type Shard, type ShardSettings } from "../../../protocol/shard.ts";
import type { MembershipChange } from "../state/log-entry.ts";

/** One node, and the numbers of the records that change its state. */
export interface NodeSpan {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly url: string;
  readonly joined: Cycle;
  /** `undefined` while it has not happened. */
  readonly activated: Cycle | undefined;
  readonly removed: Cycle | undefined;
}

/** The geometry of a cycle, from the view of one validator. */
export interface CycleGeometry {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  /** The index of this validator; `undefined` if it is not a node of the cycle. */
  readonly ownIndex: NodeIndex | undefined;
}

export type ShardingSettings = Omit<ShardSettings, "numNodes">;

/** The geometries that are kept: those of the newest cycles are needed again and again. */
const geometriesMax = 64;

export class Membership {
  readonly #ownId: NodeId;
  readonly #sharding: ShardingSettings;
  readonly #spans = new Map<NodeId, NodeSpan>();
  /** By cycle; `undefined` for a cycle without nodes. */
  readonly #geometries = new Map<Cycle, CycleGeometry | undefined>();
  #known: readonly NodeSpan[] = [];

  /** @param spans as far as they are known */
  constructor(ownId: NodeId, sharding: ShardingSettings, spans: Iterable<NodeSpan>) {
    this.#ownId = ownId;
    this.#sharding = sharding;
    for (const span of spans) this.#spans.set(span.id, span);
    this.#known = [...this.#spans.values()];
  }

  /** Every node that the log has stated, also before it is active and after it was removed. A new list after a change. */
  get known(): readonly NodeSpan[] {
    return this.#known;
  }

  /** This validator, once the log states it. */
  get own(): NodeSpan | undefined {
    return this.#spans.get(this.#ownId);
  }

  /** Returns the changed span. @throws RangeError where the log changes a node that it has not stated */
  apply(change: MembershipChange): NodeSpan {
    const span = changed(this.#spans.get(change.id), change);
    this.#spans.set(span.id, span);
    this.#known = [...this.#spans.values()];
    this.#geometries.clear();
    return span;
  }

  /**
   * Returns the geometry of a cycle; `undefined` if it has no nodes. That of a cycle which has not ended yet may change
   * until the log has stated all changes of its record.
   */
  geometryOf(cycle: Cycle): CycleGeometry | undefined {
    if (this.#geometries.has(cycle)) return this.#geometries.get(cycle);
    const geometry = this.#makeGeometry(cycle);
    if (this.#geometries.size >= geometriesMax) this.#geometries.clear();
    this.#geometries.set(cycle, geometry);
    return geometry;
  }

  /** Returns whether this validator is a node of a cycle: it votes at its end. */
  isActive(cycle: Cycle): boolean {
    const { own } = this;
    return own !== undefined && isActiveIn(own, cycle);
  }

  #makeGeometry(cycle: Cycle): CycleGeometry | undefined {
    const active = this.#known.filter((span) => isActiveIn(span, cycle));
    if (active.length === 0) return undefined;
    const nodes = active
      .map(({ id, publicKey, url }): ActiveNode => ({ id, publicKey, url }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const ownIndex = indexesOf(nodes.map(({ id }) => id)).get(this.#ownId);
    const shard = makeShard({ ...this.#sharding, numNodes: nodes.length });
    return { nodes, shard, ownIndex };
  }
}

function isActiveIn({ activated, removed }: NodeSpan, cycle: Cycle): boolean {
  return activated !== undefined && activated <= cycle && (removed === undefined || cycle < removed);
}

function changed(span: NodeSpan | undefined, change: MembershipChange): NodeSpan {
  if (change.type === "node-joined") {
    const { id, publicKey, url, cycle: joined } = change;
    return { id, publicKey, url, joined, activated: undefined, removed: undefined };
  }
  if (span === undefined) throw new RangeError(`${change.type}: unknown node ${change.id}`);
  return change.type === "node-activated"
    ? { ...span, activated: change.cycle }
    : { ...span, removed: change.cycle };
}
