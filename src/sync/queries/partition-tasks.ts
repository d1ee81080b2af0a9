/**
 * The partitions of a run, each on its way from missing to done. A transition that the state does not allow is a
 * bug, and throws.
 */

import type { Partition } from "../../protocol/brands.ts";

export type QueryId = number;

/**
 * `missing → in-flight → committing → done`. In flight and committing, one query or more give the partition: more
 * than one where it is hedged. The first whose content has the agreed hash commits it.
 */
export type PartitionTask =
  | { readonly state: "missing" }
  | { readonly state: "in-flight"; readonly queries: ReadonlySet<QueryId> }
  | { readonly state: "committing"; readonly by: QueryId; readonly queries: ReadonlySet<QueryId> }
  | { readonly state: "done" };

const none: ReadonlySet<never> = new Set<never>();

export class PartitionTasks {
  readonly #tasks = new Map<Partition, PartitionTask>();
  /** In the state `missing`; kept beside the tasks, since a planner asks for them often. */
  readonly #missing: Set<Partition>;
  /** Not in the state `done`. */
  readonly #pending: Set<Partition>;

  constructor(partitions: Iterable<Partition>) {
    this.#missing = new Set(partitions);
    this.#pending = new Set(this.#missing);
    for (const partition of this.#missing) this.#tasks.set(partition, { state: "missing" });
  }

  /** Partitions that no query gives. */
  get missing(): ReadonlySet<Partition> {
    return this.#missing;
  }

  /** Partitions that are not committed yet. */
  get pending(): ReadonlySet<Partition> {
    return this.#pending;
  }

  /** `undefined` for a partition that this run does not fetch. */
  task(partition: Partition): PartitionTask | undefined {
    return this.#tasks.get(partition);
  }

  /** Whether content of a partition is still of use. */
  isWanted(partition: Partition): boolean {
    const state = this.#tasks.get(partition)?.state;
    return state === "missing" || state === "in-flight";
  }

  /** The queries that give a partition. */
  queriesFor(partition: Partition): ReadonlySet<QueryId> {
    const task = this.#tasks.get(partition);
    return task?.state === "in-flight" || task?.state === "committing" ? task.queries : none;
  }

  /** The wanted partitions that a query gives. */
  givenBy(query: QueryId): Partition[] {
    return [...this.#pending].filter((p) => this.isWanted(p) && this.queriesFor(p).has(query));
  }

  /** A query is to give a partition, beside those that give it already. */
  assign(partition: Partition, query: QueryId): void {
    const task = this.#require(partition, "assign", "missing", "in-flight");
    const queries = task.state === "in-flight" ? new Set(task.queries) : new Set<QueryId>();
    this.#set(partition, { state: "in-flight", queries: queries.add(query) });
  }

  /** A query is over: what it did not give is missing again, where no other query gives it. */
  release(query: QueryId): void {
    for (const partition of this.#pending) {
      const task = this.#tasks.get(partition);
      if (task?.state === "committing" && task.by === query) throw misuse("release", partition, task.state);
      if (task?.state !== "in-flight" && task?.state !== "committing") continue;
      if (!task.queries.has(query)) continue;
      const queries = new Set(task.queries);
      queries.delete(query);
      this.#set(partition, queries.size === 0 ? { state: "missing" } : { ...task, queries });
    }
  }

  /** A query has the partition with the agreed hash; content of others is of no use from now on. */
  settle(partition: Partition, query: QueryId): void {
    const task = this.#require(partition, "settle", "in-flight");
    if (!task.queries.has(query)) throw misuse(`settle by query ${query}`, partition, task.state);
    this.#set(partition, { state: "committing", by: query, queries: task.queries });
  }

  /** The settled content could not be stored. */
  unsettle(partition: Partition): void {
    const { queries } = this.#require(partition, "unsettle", "committing");
    this.#set(partition, { state: "in-flight", queries });
  }

  /** The settled content is in its place. */
  commit(partition: Partition): void {
    this.#require(partition, "commit", "committing");
    this.#set(partition, { state: "done" });
  }

  #set(partition: Partition, task: PartitionTask): void {
    this.#tasks.set(partition, task);
    if (task.state === "missing") this.#missing.add(partition);
    else this.#missing.delete(partition);
    if (task.state === "done") this.#pending.delete(partition);
  }

  #require<S extends PartitionTask["state"]>(
    partition: Partition,
    transition: string,
    ...from: readonly S[]
  ): Extract<PartitionTask, { readonly state: S }> {
    const task = this.#tasks.get(partition);
    if (task === undefined || !(from as readonly string[]).includes(task.state))
      throw misuse(transition, partition, task?.state ?? "unknown");
    return task as Extract<PartitionTask, { readonly state: S }>;
  }
}

function misuse(transition: string, partition: Partition, state: string): Error {
  return new Error(`cannot ${transition} partition ${partition}, which is ${state}`);
}
