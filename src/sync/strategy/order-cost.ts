/** What a run costs that asks certain queries, if every node gives what is expected of it. */

import { type Shard, storedCount } from "../../protocol/shard.ts";
import { narrowedRequests } from "../narrowed-requests.ts";
import type { PlannedQuery } from "./algorithm-1.ts";

export interface OrderCost {
  /** Nodes that are asked. */
  readonly nodes: number;
  /** From nodes that answer with a range of accounts where they are asked for one. */
  readonly withRanges: ReceivedCost;
  /** From nodes that answer with everything, the global partition included, whatever they are asked for. */
  readonly withoutRanges: ReceivedCost;
}

export interface ReceivedCost {
  readonly requests: number;
  /** Each as often as it comes. */
  readonly partitionsReceived: number;
}

export function orderCost(shard: Shard, queries: readonly PlannedQuery[]): OrderCost {
  const requests = queries.flatMap(({ nodeIndex, partitions }) =>
    narrowedRequests(shard, nodeIndex, partitions, 0),
  );
  const asked = requests.reduce((sum, { partitions }) => sum + partitions.length, 0);
  const sent = queries.length * (storedCount(shard) + 1);
  return {
    nodes: queries.length,
    withRanges: { requests: requests.length, partitionsReceived: asked },
    // The first answer of a node brings all that it could be asked for.
    withoutRanges: { requests: queries.length, partitionsReceived: sent },
  };
}
