/**
 * Which peer is queried next: by Algorithm 1, or as part of a minimum cover. Peers that have failed come after those
 * that have not and, of these, slow ones after the others (docs/decisions/0012).
 */

import type { NodeIndex, Partition } from "../../protocol/brands.ts";
import { type Shard, stores } from "../../protocol/shard.ts";
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

/** The rest of a cover, and for what it was computed. */
export interface Cover {
  /** What is still to be queried, in this order. */
  readonly queries: readonly PlannedQuery[];
  /** The number of partitions of these queries. */
  readonly planned: number;
  /** Partitions that no peer can give now. */
  readonly leftOut: number;
}

export interface NextQuery {
  readonly query: PlannedQuery;
  /** What the planner keeps if the query starts: the rest of the cover. `undefined` for Algorithm 1. */
  readonly rest: Cover | undefined;
}

const noCover: Cover = { queries: [], planned: 0, leftOut: 0 };

export class QueryPlanner {
  readonly #context: PlannerContext;
  #cover = noCover;

  constructor(context: PlannerContext) {
    this.#context = context;
  }

  /**
   * Returns the next query, if there is one. It changes nothing: the same state and time give the same query.
   *
   * @param needed partitions that no query gives
   */
  next(needed: ReadonlySet<Partition>, nowMs: number): NextQuery | undefined {
    if (needed.size === 0) return undefined;
    const { shard, pool, rule } = this.#context;
    if (rule === "cover") return firstOf(this.#coverOf(needed, nowMs));
    const order = this.#groups(nowMs).flat();
    const query = nextQuery(shard, order, needed, (index, partition) => pool.mayGive(index, partition));
    return query && { query, rest: undefined };
  }

  /** A query of {@link next} has started. */
  started(rest: Cover | undefined): void {
    this.#cover = rest ?? noCover;
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
    const partitions = [...straggling];
    const mayGive = (index: NodeIndex) =>
      partitions.some(
        (partition) =>
          stores(shard, index, partition) &&
          pool.mayGive(index, partition) &&
          !requestedOf(index).has(partition),
      );
    // Few peers store what straggles, and a run checks for stragglers often.
    const groups = this.#groups(nowMs).map((group) => group.filter(mayGive));
    if (groups.every((group) => group.length === 0)) return undefined;
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
    const queries = coverQueries({ shard, groups, needed, excludedOf, isEmpty });
    const planned = queries.reduce((sum, { partitions }) => sum + partitions.length, 0);
    return { queries, planned, leftOut: needed.size - planned };
  }

  /** Whether the cover is for what is needed now, and its next peer can be queried as it says. */
  #isAsPlanned(needed: ReadonlySet<Partition>, nowMs: number): boolean {
    const { pool } = this.#context;
    const { queries, planned, leftOut } = this.#cover;
    const [next] = queries;
    return (
      next !== undefined &&
      planned + leftOut === needed.size &&
      pool.isAvailable(next.nodeIndex, nowMs) &&
      next.partitions.every((p) => needed.has(p) && pool.mayGive(next.nodeIndex, p))
    );
  }
}

function firstOf({ queries: [query, ...queries], planned, leftOut }: Cover): NextQuery | undefined {
  return query && { query, rest: { queries, planned: planned - query.partitions.length, leftOut } };
}
