/**
 * A query: what one peer is to give, request by request, until it has given everything, has failed, or is cancelled.
 */

import type { QueryId } from "./partition-tasks.ts";
import type { ResponseProgress } from "./response-progress.ts";

/** Why we end a query ourselves. `hedged`: others gave what it was to give. */
export type Cancellation = "hedged" | "not-needed";

export type QueryState =
  /** Between two requests. */
  | { readonly kind: "idle" }
  | {
      readonly kind: "requesting";
      readonly requested: ReadonlySet<number>;
      readonly progress: ResponseProgress;
    }
  /** Cancelled; its request, if one was under way, has not ended yet. */
  | {
      readonly kind: "cancelled";
      readonly reason: Cancellation;
      readonly progress: ResponseProgress | undefined;
    };

export interface Query {
  readonly id: QueryId;
  /** Index of the peer. */
  readonly peer: number;
  /** What the query was planned for. */
  readonly partitions: readonly number[];
  /** Whether it requests what another query gives too slowly. */
  readonly isHedge: boolean;
  readonly startedMs: number;
  /** How many partitions it has given with the agreed hash. */
  readonly verified: number;
  readonly state: QueryState;
}

/**
 * Whether a query that is not cancelled may still give something of use.
 *
 * @param given the wanted partitions that it gives, requested or not
 */
export function isUseful({ state, partitions }: Query, given: readonly number[]): boolean {
  if (state.kind !== "requesting") return given.length > 0;
  const { requested } = state;
  // What it was planned for, but is not in this response, another query may fetch as well.
  return given.some((partition) => requested.has(partition) || !partitions.includes(partition));
}
