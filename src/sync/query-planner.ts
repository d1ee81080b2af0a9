/**
 * Which node is asked next, by the rule of the run: Algorithm 1, or as few nodes as can be. Nodes that have
 * failed come after those that have not, and of these, slow ones after the others (docs/decisions/0012).
 */

import type { Shard } from "../protocol/shard.ts";
import type { PeerPool } from "./peer-pool.ts";
import { rankGroups } from "./rank-groups.ts";
import { nextQuery, type PlannedQuery } from "./strategy/algorithm-1.ts";
import { coverQueries } from "./strategy/cover-queries.ts";
import type { OrderRule } from "./strategy/order-rule.ts";
import type { Throughput } from "./throughput.ts";

export interface PlannerContext {
  readonly shard: Shard;
  readonly book: PeerPool;
  readonly speeds: Throughput;
  readonly rule: OrderRule;
  /** Whether a partition is agreed to have no accounts. */
  readonly isEmpty: (partition: number) => boolean;
}

export class QueryPlanner {
  readonly #context: PlannerContext;
  /** Of a cover, what is still to be asked, the next query last; for how many partitions that is, and how many
   *  it leaves out, since nobody can give them now. */
  #cover: PlannedQuery[] = [];
  #planned = 0;
  #leftOut = 0;

  constructor(context: PlannerContext) {
    this.#context = context;
  }

  /** @param needed partitions that are missing, and that nobody is giving */
  next(needed: ReadonlySet<number>, nowMs: number): PlannedQuery | undefined {
    if (needed.size === 0) return undefined;
    const { shard, book, rule } = this.#context;
    if (rule === "cover") return this.#nextOfCover(needed, nowMs);
    const order = this.#groups(nowMs).flat();
    return nextQuery(shard, order, needed, (index, partition) => book.mayGive(index, partition));
  }

  /**
   * Whom to ask for partitions that others are giving too slowly: as few nodes as can be, by either rule.
   *
   * @param askedOf what a node was asked for already
   */
  elsewhere(
    late: ReadonlySet<number>,
    askedOf: (nodeIndex: number) => ReadonlySet<number>,
    nowMs: number,
  ): PlannedQuery | undefined {
    const { shard, book, isEmpty } = this.#context;
    const refusedBy = (index: number) => [
      ...book.refusedBy(index),
      ...[...askedOf(index)].filter((partition) => late.has(partition)),
    ];
    return coverQueries({ shard, groups: this.#groups(nowMs), needed: late, refusedBy, isEmpty })[0];
  }

  #groups(nowMs: number): number[][] {
    const { book, speeds } = this.#context;
    const groups = book.askableGroups(nowMs);
    if (speeds.isEven) return groups;
    return groups.flatMap((group) => rankGroups(group, (index) => speeds.pace(index)));
  }

  /** A cover stays the best one as long as everything goes as planned; after that, another one is made. */
  #nextOfCover(needed: ReadonlySet<number>, nowMs: number): PlannedQuery | undefined {
    const { shard, book, isEmpty } = this.#context;
    if (!this.#isAsPlanned(needed, nowMs)) {
      const refusedBy = (index: number) => book.refusedBy(index);
      const groups = this.#groups(nowMs);
      this.#cover = coverQueries({ shard, groups, needed, refusedBy, isEmpty }).reverse();
      this.#planned = this.#cover.reduce((sum, { partitions }) => sum + partitions.length, 0);
      this.#leftOut = needed.size - this.#planned;
    }
    const next = this.#cover.pop();
    this.#planned -= next?.partitions.length ?? 0;
    return next;
  }

  /** Whether the cover is for what is needed now, and its next node can be asked as it says. */
  #isAsPlanned(needed: ReadonlySet<number>, nowMs: number): boolean {
    const { book } = this.#context;
    const next = this.#cover.at(-1);
    return (
      next !== undefined &&
      this.#planned + this.#leftOut === needed.size &&
      book.isAskable(next.nodeIndex, nowMs) &&
      next.partitions.every((p) => needed.has(p) && book.mayGive(next.nodeIndex, p))
    );
  }
}
