/** The queries of a run that are not over, and the transitions of their states. A transition of the wrong state throws. */

import type { Partition, PeerIndex } from "../../protocol/brands.ts";
import type { RequestDecision } from "../scheduler-actions.ts";
import type { PlannedQuery } from "../strategy/algorithm-1.ts";
import type { QueryId } from "./partition-tasks.ts";
import { type Cancellation, type Query, type RequestInFlight, requestOf } from "./query.ts";
import { ResponseProgress } from "./response-progress.ts";

export class QueryTable {
  readonly #queries = new Map<QueryId, Query>();
  #nextId: QueryId = 0;

  get size(): number {
    return this.#queries.size;
  }

  all(): Iterable<Query> {
    return this.#queries.values();
  }

  /** Returns the queries that are not cancelled. */
  running(): Query[] {
    return [...this.#queries.values()].filter(({ state }) => state.kind !== "cancelled");
  }

  /** Returns whether any response has not ended. */
  hasRequest(): boolean {
    for (const query of this.#queries.values()) if (requestOf(query) !== undefined) return true;
    return false;
  }

  /**
   * Returns a running query.
   *
   * @throws Error where the query is over: a bug
   */
  get(id: QueryId): Query {
    const query = this.#queries.get(id);
    if (query === undefined) throw new Error(`no query ${id}`);
    return query;
  }

  start({ nodeIndex: peer, partitions }: PlannedQuery<PeerIndex>, isHedge: boolean, atMs: number): Query {
    const id = this.#nextId++;
    const state = { kind: "idle" } as const;
    const query: Query = { id, peer, partitions, isHedge, startedMs: atMs, verified: 0, state };
    this.#queries.set(id, query);
    return query;
  }

  request({ query: id, partitions, bases, body }: RequestDecision, atMs: number): void {
    const query = this.get(id);
    if (query.state.kind !== "idle") throw misuse("send a request", query);
    const progress = new ResponseProgress(atMs);
    const requested = new Set(partitions);
    const isDelta = body.changedSince !== undefined;
    const request: RequestInFlight = { requested, bases, isDelta, progress, begun: new Set() };
    this.#queries.set(id, { ...query, state: { kind: "requesting", request } });
  }

  /** The response of a query has accounts of a partition. */
  begin(id: QueryId, partition: Partition): void {
    this.#setBegun(id, (begun) => begun.add(partition));
  }

  /** The response of a query has committed a partition. */
  commit(id: QueryId, partition: Partition): void {
    this.#setBegun(id, (begun) => begun.delete(partition));
    const query = this.get(id);
    this.#queries.set(id, { ...query, verified: query.verified + 1 });
  }

  /** A query that is cancelled already keeps its reason. */
  cancel(id: QueryId, reason: Cancellation): void {
    const query = this.get(id);
    if (query.state.kind === "cancelled") return;
    const request = requestOf(query);
    this.#queries.set(id, { ...query, state: { kind: "cancelled", reason, request } });
  }

  /** The response of a query has ended. */
  endRequest(id: QueryId): void {
    const query = this.get(id);
    const { state } = query;
    if (requestOf(query) === undefined) throw misuse("end a response", query);
    const next = state.kind === "cancelled" ? { ...state, request: undefined } : ({ kind: "idle" } as const);
    this.#queries.set(id, { ...query, state: next });
  }

  remove(id: QueryId): void {
    this.#queries.delete(id);
  }

  #setBegun(id: QueryId, change: (begun: Set<Partition>) => void): void {
    const query = this.get(id);
    const { state } = query;
    if (state.kind === "idle" || state.request === undefined) throw misuse("give a partition", query);
    const begun = new Set(state.request.begun);
    change(begun);
    this.#queries.set(id, { ...query, state: { ...state, request: { ...state.request, begun } } });
  }
}

function misuse(transition: string, { id, state }: Query): Error {
  return new Error(`query ${id} cannot ${transition}: it is ${state.kind}`);
}
