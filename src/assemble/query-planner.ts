/**
 * Which node is asked next, by the rule of the run: Algorithm 1, or as few nodes as can be. Nodes that have
 * failed come after those that have not, and of these, slow ones after the others (docs/decisions/0012).
 */

import type { Shard } from "../model/shard.ts";
import { coverQueries } from "../plan/cover-queries.ts";
import { nextQuery, type PlannedQuery } from "../plan/next-query.ts";
import type { NodeSpeeds } from "../plan/node-speeds.ts";
import type { OrderRule } from "../plan/order-rule.ts";
import type { NodeBook } from "./node-book.ts";

export interface PlannerContext {
  readonly shard: Shard;
  readonly book: NodeBook;
  readonly speeds: NodeSpeeds;
  readonly rule: OrderRule;
  /** Whether a partition is agreed to have no accounts. */
  readonly isEmpty: (partition: number) => boolean;
}

export class QueryPlanner {
  readonly #context: PlannerContext;
  /** Of a cover, what is still to be asked. */
  #cover: readonly PlannedQuery[] = [];

  constructor(context: PlannerContext) {
    this.#context = context;
  }

  /** @param needed partitions that are missing, and that nobody is giving */
  next(needed: ReadonlySet<number>, nowMs: number): PlannedQuery | undefined {
    if (needed.size === 0) return undefined;
    const { shard, book, rule } = this.#context;
    const groups = this.#groups(nowMs);
    if (rule === "cover") return this.#nextOfCover(needed, groups);
    return nextQuery(shard, groups.flat(), needed, (index, partition) => book.mayGive(index, partition));
  }

  /**
   * Whom to ask for partitions that others are giving too slowly: as few nodes as can be, by either rule.
   *
   * @param hasAsked who was asked already
   */
  elsewhere(
    late: ReadonlySet<number>,
    hasAsked: (partition: number, nodeIndex: number) => boolean,
    nowMs: number,
  ): PlannedQuery | undefined {
    const { shard, book, isEmpty } = this.#context;
    const refusedBy = (index: number) => [
      ...book.refusedBy(index),
      ...[...late].filter((partition) => hasAsked(partition, index)),
    ];
    return coverQueries({ shard, groups: this.#groups(nowMs), needed: late, refusedBy, isEmpty })[0];
  }

  #groups(nowMs: number): number[][] {
    const { book, speeds } = this.#context;
    return book.askableGroups(nowMs).flatMap((group) => grouped(group, (index) => speeds.pace(index)));
  }

  /** A cover stays the best one as long as everything goes as planned; after that, another one is made. */
  #nextOfCover(needed: ReadonlySet<number>, groups: readonly number[][]): PlannedQuery | undefined {
    const { shard, book, isEmpty } = this.#context;
    if (!this.#isAsPlanned(needed, new Set(groups.flat()))) {
      const refusedBy = (index: number) => book.refusedBy(index);
      this.#cover = coverQueries({ shard, groups, needed, refusedBy, isEmpty });
    }
    const [next, ...later] = this.#cover;
    this.#cover = later;
    return next;
  }

  #isAsPlanned(needed: ReadonlySet<number>, askable: ReadonlySet<number>): boolean {
    const { book } = this.#context;
    const planned = this.#cover.reduce((sum, { partitions }) => sum + partitions.length, 0);
    return (
      planned === needed.size &&
      this.#cover.every(
        ({ nodeIndex, partitions }) =>
          askable.has(nodeIndex) &&
          partitions.every((partition) => needed.has(partition) && book.mayGive(nodeIndex, partition)),
      )
    );
  }
}

/** Those with the same rank together, in their order; the lower ranks first. */
function grouped(indices: readonly number[], rankOf: (index: number) => number): number[][] {
  const groups = new Map<number, number[]>();
  for (const index of indices) {
    const rank = rankOf(index);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [index]);
    else group.push(index);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
