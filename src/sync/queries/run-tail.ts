/**
 * The end of a run, once every partition is committed: the run waits for the first response in flight, so that its
 * record has an end, and the other responses get a moment more.
 */

import { responseTailMaxMs, responseTailMs } from "../../limits/sync.ts";
import type { Action } from "../scheduler-actions.ts";
import type { QueryId } from "./partition-tasks.ts";
import { type Query, requestOf } from "./query.ts";

export class RunTail {
  readonly #givers: ReadonlySet<QueryId>;
  #untilMs: number;

  /** @param running the queries that are not cancelled when the last partition is committed */
  constructor(running: readonly Query[], atMs: number) {
    this.#givers = new Set(running.map(({ id }) => id));
    this.#untilMs = atMs + (this.#givers.size === 0 ? responseTailMs : responseTailMaxMs);
  }

  /** A query is over. */
  ended(query: QueryId, atMs: number): void {
    if (this.#givers.has(query)) this.#untilMs = Math.min(this.#untilMs, atMs + responseTailMs);
  }

  /** Returns the next action while queries are not over. */
  next(queries: Iterable<Query>, nowMs: number): Action {
    const isOver = nowMs >= this.#untilMs;
    for (const query of queries) {
      if (requestOf(query) === undefined) return { type: "end", query: query.id };
      if (isOver && query.state.kind === "requesting")
        return { type: "cancel", query: query.id, reason: "not-needed" };
    }
    return { type: "wait", untilMs: isOver ? undefined : this.#untilMs };
  }
}
