/**
 * Which peer is queried next: by Algorithm 1, or as part of a minimum cover. Peers that have failed come after those
 * that have not and, of these, slow ones after the others (docs/decisions/0012).
 */

import {
  isMirrorIndex,
  type MirrorIndex,
  type NodeIndex,
  type Partition,
  type PeerIndex,
} from "../../protocol/brands.ts";
import { type Shard, stores } from "../../protocol/shard.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import { rankGroups } from "../peers/rank-groups.ts";
import type { Throughput } from "../peers/throughput.ts";
import { nextQuery, type PlannedQuery } from "../strategy/algorithm-1.ts";
import { coverQueries } from "../strategy/cover-queries.ts";
import { mirrorQueries } from "../strategy/mirror-queries.ts";
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
  readonly queries: readonly PlannedQuery<PeerIndex>[];
  /** The number of partitions of these queries. */
  readonly planned: number;
  /** Partitions that no peer can give now. */
  readonly leftOut: number;
}

export interface NextQuery {
  readonly query: PlannedQuery<PeerIndex>;
  /** What the planner keeps if the query starts: the rest of the cover. `undefined` for Algorithm 1. */
  readonly rest: Cover | undefined;
}

type PeersOfAKind =
  | { readonly kind: "nodes"; readonly groups: NodeIndex[][] }
  | { readonly kind: "mirrors"; readonly mirrors: MirrorIndex[] };

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
    for (const kind of this.#kinds(this.#groups(nowMs))) {
      const query =
        kind.kind === "mirrors"
          ? mirrorQueries(kind.mirrors, needed, (index) => pool.excludedOf(index))[0]
          : nextQuery(shard, kind.groups.flat(), needed, (index, partition) =>
              pool.mayGive(index, partition),
            );
      if (query !== undefined) return { query, rest: undefined };
    }
    return undefined;
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
    requestedOf: (peer: PeerIndex) => ReadonlySet<Partition>,
    nowMs: number,
  ): PlannedQuery<PeerIndex> | undefined {
    const { shard, pool } = this.#context;
    const excludedOf = (index: PeerIndex) => [
      ...pool.excludedOf(index),
      ...[...requestedOf(index)].filter((partition) => straggling.has(partition)),
    ];
    const partitions = [...straggling];
    const mayGive = (index: PeerIndex) =>
      partitions.some(
        (partition) =>
          (isMirrorIndex(index, shard.numNodes) || stores(shard, index, partition)) &&
          pool.mayGive(index, partition) &&
          !requestedOf(index).has(partition),
      );
    // Few peers have what straggles, and a run checks for stragglers often.
    const groups = this.#groups(nowMs).map((group) => group.filter(mayGive));
    if (groups.every((group) => group.length === 0)) return undefined;
    return this.#covering(straggling, excludedOf, groups)[0];
  }

  /** Queries for all that is needed: of nodes as few as can be, of mirrors what is left. */
  #covering(
    needed: ReadonlySet<Partition>,
    excludedOf: (index: PeerIndex) => Iterable<Partition>,
    groups: readonly PeerIndex[][],
  ): PlannedQuery<PeerIndex>[] {
    const { shard, isEmpty } = this.#context;
    const open = new Set(needed);
    return this.#kinds(groups).flatMap((kind): PlannedQuery<PeerIndex>[] => {
      const queries =
        kind.kind === "mirrors"
          ? mirrorQueries(kind.mirrors, open, excludedOf)
          : coverQueries({ shard, groups: kind.groups, needed: open, excludedOf, isEmpty });
      for (const { partitions } of queries) for (const partition of partitions) open.delete(partition);
      return queries;
    });
  }

  /** Peers in order: neighbouring groups of nodes together, and those of mirrors. */
  #kinds(groups: readonly PeerIndex[][]): PeersOfAKind[] {
    const { numNodes } = this.#context.shard;
    const kinds: PeersOfAKind[] = [];
    for (const group of groups) {
      const nodes = group.filter((index) => !isMirrorIndex(index, numNodes));
      const mirrors = group.filter((index) => isMirrorIndex(index, numNodes));
      const last = kinds.at(-1);
      if (mirrors.length === 0) {
        if (last?.kind === "nodes") last.groups.push(nodes);
        else kinds.push({ kind: "nodes", groups: [nodes] });
      } else if (last?.kind === "mirrors") last.mirrors.push(...mirrors);
      else kinds.push({ kind: "mirrors", mirrors });
    }
    return kinds;
  }

  #groups(nowMs: number): PeerIndex[][] {
    const { pool, throughput } = this.#context;
    const groups = pool.availableGroups(nowMs);
    if (throughput.isEven) return groups;
    return groups.flatMap((group) => rankGroups(group, (index) => throughput.pace(index)));
  }

  /** A cover stays the best one as long as everything goes as planned; after that, another one is computed. */
  #coverOf(needed: ReadonlySet<Partition>, nowMs: number): Cover {
    if (this.#isAsPlanned(needed, nowMs)) return this.#cover;
    const { pool } = this.#context;
    const queries = this.#covering(needed, (index) => pool.excludedOf(index), this.#groups(nowMs));
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
