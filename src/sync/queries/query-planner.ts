/**
 * Which peer is queried next: by Algorithm 1, or as part of a minimum cover. Peers that have failed come after those
 * that have not and, of these, slow ones after the others (docs/decisions/0012).
 */

import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import type { Shard } from "../../protocol/shard.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import { rankGroups } from "../peers/rank-groups.ts";
import type { Throughput } from "../peers/throughput.ts";
import { nextQuery, type PlannedQuery } from "../strategy/algorithm-1.ts";
import { coverQueries } from "../strategy/cover-queries.ts";
import type { OrderRule } from "../strategy/order-rule.ts";

export interface PlannerContext {
  readonly shard: Shard;
  readonly pool: PeerPool;
  readonly throughput: Throughput;
  readonly rule: OrderRule;
  /** Whether a partition is agreed to have no accounts. */
  readonly isEmpty: (partition: Partition) => boolean;
}

/** A cover, and for what it was computed. */
interface Cover {
  /** What is still to be queried, the next query last. */
  readonly queries: PlannedQuery[];
  /** The partitions of these queries. */
  planned: number;
  /** Partitions that no peer can give now. */
  readonly leftOut: number;
}

export class QueryPlanner {
  readonly #context: PlannerContext;
  #cover: Cover = { queries: [], planned: 0, leftOut: 0 };

  constructor(context: PlannerContext) {
    this.#context = context;
  }

  /**
   * The next query, if there is one. The same question has the same answer until {@link started} is called.
   *
   * @param needed partitions that no query gives
   */
  next(needed: ReadonlySet<Partition>, nowMs: number): PlannedQuery | undefined {
    if (needed.size === 0) return undefined;
    const { shard, pool, rule } = this.#context;
    if (rule === "cover") return this.#coverOf(needed, nowMs).queries.at(-1);
    const order = this.#groups(nowMs).flat();
    return nextQuery(shard, order, needed, (index, partition) => pool.mayGive(index, partition));
  }

  /** A planned query has begun. */
  started(query: PlannedQuery): void {
    if (this.#cover.queries.at(-1) !== query) return;
    this.#cover.queries.pop();
    this.#cover.planned -= query.partitions.length;
  }

  /**
   * Which peer to query for what stragglers give: by either rule, the first of the fewest that can give it.
   *
   * @param requestedOf what a peer was requested for already
   */
  hedge(
    straggling: ReadonlySet<Partition>,
    requestedOf: (peer: NodeIndex) => ReadonlySet<Partition>,
    nowMs: number,
  ): PlannedQuery | undefined {
    const { shard, pool, isEmpty } = this.#context;
    const excludedOf = (index: NodeIndex) => [
      ...pool.excludedOf(index),
      ...[...requestedOf(index)].filter((partition) => straggling.has(partition)),
    ];
    const groups = this.#groups(nowMs);
    return coverQueries({ shard, groups, needed: straggling, excludedOf, isEmpty })[0];
  }

  #groups(nowMs: number): NodeIndex[][] {
    const { pool, throughput } = this.#context;
    const groups = pool.availableGroups(nowMs);
    if (throughput.isEven) return groups;
    return groups.flatMap((group) => rankGroups(group, (index) => throughput.pace(index)));
  }

  /** A cover stays the best one as long as everything goes as planned; after that, another one is computed. */
  #coverOf(needed: ReadonlySet<Partition>, nowMs: number): Cover {
    if (this.#isAsPlanned(needed, nowMs)) return this.#cover;
    const { shard, pool, isEmpty } = this.#context;
    const excludedOf = (index: NodeIndex) => pool.excludedOf(index);
    const groups = this.#groups(nowMs);
    const queries = coverQueries({ shard, groups, needed, excludedOf, isEmpty }).reverse();
    const planned = queries.reduce((sum, { partitions }) => sum + partitions.length, 0);
    this.#cover = { queries, planned, leftOut: needed.size - planned };
    return this.#cover;
  }

  /** Whether the cover is for what is needed now, and its next peer can be queried as it says. */
  #isAsPlanned(needed: ReadonlySet<Partition>, nowMs: number): boolean {
    const { pool } = this.#context;
    const { queries, planned, leftOut } = this.#cover;
    const next = queries.at(-1);
    return (
      next !== undefined &&
      planned + leftOut === needed.size &&
      pool.isAvailable(next.nodeIndex, nowMs) &&
      next.partitions.every((p) => needed.has(p) && pool.mayGive(next.nodeIndex, p))
    );
  }
}
