/**
 * A query: what one peer is to give, request by request, until it has given everything, has failed, or is cancelled.
 */

import type { Partition, PeerIndex } from "../../protocol/brands.ts";
import type { Base } from "./partition-bases.ts";
import type { QueryId } from "./partition-tasks.ts";
import type { ResponseProgress } from "./response-progress.ts";

/** Why the run ends a query. `hedged`: others gave what it was to give. `not-needed`: it has nothing left to give. */
export type Cancellation = "hedged" | "not-needed";

/** A request whose response has not ended. */
export interface RequestInFlight {
  readonly requested: ReadonlySet<Partition>;
  /** What the response is to complete. */
  readonly bases: ReadonlyMap<Partition, Base>;
  /** Whether accounts that have not changed for long may be missing. */
  readonly isDelta: boolean;
  readonly progress: ResponseProgress;
  /** Partitions that the response has accounts of, and that it has not committed. */
  readonly begun: ReadonlySet<Partition>;
}

export type QueryState =
  /** Between two requests. */
  | { readonly kind: "idle" }
  | { readonly kind: "requesting"; readonly request: RequestInFlight }
  | {
      readonly kind: "cancelled";
      readonly reason: Cancellation;
      /** Until its response has ended. */
      readonly request: RequestInFlight | undefined;
    };

export interface Query {
  readonly id: QueryId;
  /** Index of the peer. */
  readonly peer: PeerIndex;
  /** The partitions that the query was planned for. */
  readonly partitions: readonly Partition[];
  /** Whether it requests what another query gives too slowly. */
  readonly isHedge: boolean;
  readonly startedMs: number;
  /** How many partitions it has given with the agreed hash. */
  readonly verified: number;
  readonly state: QueryState;
}

/** Returns the request of a query whose response has not ended. */
export function requestOf({ state }: Query): RequestInFlight | undefined {
  return state.kind === "idle" ? undefined : state.request;
}

/**
 * Returns whether a query that is not cancelled may still give something of use.
 *
 * @param given the wanted partitions that it gives, requested or not
 */
export function isUseful({ state, partitions }: Query, given: readonly Partition[]): boolean {
  if (state.kind !== "requesting") return given.length > 0;
  const { requested } = state.request;
  // A partition that it was planned for, but that this request does not cover, another query may fetch as well.
  return given.some((partition) => requested.has(partition) || !partitions.includes(partition));
}
