/** The cost of a run that sends the given queries, if every node gives what it is requested for. */

import { type Shard, storedCount } from "../../protocol/shard.ts";
import { narrowedRequests } from "../queries/narrowed-requests.ts";
import type { PlannedQuery } from "./algorithm-1.ts";

export interface OrderCost {
  /** Nodes that are queried. */
  readonly nodes: number;
  /** From nodes that narrow a response to the requested range of accounts. */
  readonly withRanges: ReceivedCost;
  /** From nodes that respond to every request with all that they store, the global partition included. */
  readonly withoutRanges: ReceivedCost;
}

export interface ReceivedCost {
  readonly requests: number;
  /** A partition that arrives twice counts twice. */
  readonly partitionsReceived: number;
}

export function orderCost(shard: Shard, queries: readonly PlannedQuery[]): OrderCost {
  const requests = queries.flatMap(({ nodeIndex, partitions }) =>
    narrowedRequests({ shard, timestamp: 0 }, nodeIndex, partitions),
  );
  const requested = requests.reduce((sum, { partitions }) => sum + partitions.length, 0);
  const sent = queries.length * (storedCount(shard) + 1);
  return {
    nodes: queries.length,
    withRanges: { requests: requests.length, partitionsReceived: requested },
    // The first response of a node has everything that it could be requested for.
    withoutRanges: { requests: queries.length, partitionsReceived: sent },
  };
}
