/**
 * Who is giving which partition. Usually that is one query; several where the first is late and others were
 * asked as well. Whoever first has the right content settles it, and only once.
 */

import type { NodeQuery } from "./node-query.ts";

const nothing: ReadonlySet<never> = new Set<never>();

export class PartitionTasks {
  /** Not verified yet. */
  readonly missing: Set<number>;
  /** Missing, and nobody is giving them. */
  readonly open: Set<number>;
  readonly #givers = new Map<number, Set<NodeQuery>>();
  /** Right content has come, and is being put in its place. */
  readonly #settled = new Set<number>();
  /** What each node was ever asked for. */
  readonly #asked = new Map<number, Set<number>>();

  constructor(missing: Iterable<number>) {
    this.missing = new Set(missing);
    this.open = new Set(this.missing);
  }

  /** Whether right content of a partition is still of use. */
  isWanted(partition: number): boolean {
    return this.missing.has(partition) && !this.#settled.has(partition);
  }

  givers(partition: number): ReadonlySet<NodeQuery> {
    return this.#givers.get(partition) ?? nothing;
  }

  /** Partitions that a query is giving, asked for them or not, and that are still wanted. */
  heldBy(query: NodeQuery): number[] {
    const held = [...this.#givers].filter(([p, givers]) => givers.has(query) && this.isWanted(p));
    return held.map(([partition]) => partition);
  }

  /** Partitions that nobody but a query is giving. */
  heldAlone(query: NodeQuery): number[] {
    return this.heldBy(query).filter((partition) => this.givers(partition).size === 1);
  }

  /** The partitions that a node was ever asked for. */
  askedOf(nodeIndex: number): ReadonlySet<number> {
    return this.#asked.get(nodeIndex) ?? nothing;
  }

  /** Those who were asked for these may be asked again. */
  askAgain(partitions: ReadonlySet<number>): void {
    for (const asked of this.#asked.values()) for (const partition of partitions) asked.delete(partition);
  }

  /** The query is to give its partitions, beside those that are giving them already. */
  begin(query: NodeQuery): void {
    for (const partition of query.partitions) this.#add(partition, query);
  }

  /** Whether a query may give a partition: those that it was asked for, and those that nobody is giving. */
  claim(partition: number, query: NodeQuery): boolean {
    if (!this.isWanted(partition)) return false;
    if (this.open.has(partition)) this.#add(partition, query);
    return this.givers(partition).has(query);
  }

  /** The query is over: what it has not given is open again, where nobody else is giving it. */
  release(query: NodeQuery): void {
    for (const [partition, givers] of this.#givers) {
      if (!givers.delete(query) || givers.size > 0) continue;
      this.#givers.delete(partition);
      if (this.missing.has(partition)) this.open.add(partition);
    }
  }

  /** Takes right content; `false` for whoever comes second. */
  settle(partition: number): boolean {
    if (!this.isWanted(partition)) return false;
    this.#settled.add(partition);
    return true;
  }

  /** Settled content could not be put in its place: it is wanted again. */
  unsettle(partition: number): void {
    this.#settled.delete(partition);
  }

  /** Settled content is in its place. Answers who else was giving it. */
  verified(partition: number, by: NodeQuery): NodeQuery[] {
    const others = [...this.givers(partition)].filter((query) => query !== by);
    this.missing.delete(partition);
    this.open.delete(partition);
    this.#givers.delete(partition);
    return others;
  }

  #add(partition: number, query: NodeQuery): void {
    const givers = this.#givers.get(partition);
    if (givers === undefined) this.#givers.set(partition, new Set([query]));
    else givers.add(query);
    const asked = this.#asked.get(query.nodeIndex);
    if (asked === undefined) this.#asked.set(query.nodeIndex, new Set([partition]));
    else asked.add(partition);
    this.open.delete(partition);
  }
}
