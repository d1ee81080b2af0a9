/** What a run would ask of whom, if every node gives what is expected of it: no request but for the lists. */

import type { Boundary } from "../chain/boundary.ts";
import type { SnapshotTime } from "../chain/timestamp.ts";
import { HttpClient } from "../fetch/http-client.ts";
import { DEFAULT_HASH_KEY } from "../model/hash.ts";
import type { ActiveNode } from "../model/node.ts";
import { allPartitions, type Shard } from "../model/shard.ts";
import { type ListContext, readNodeList } from "../network/lists.ts";
import type { NetworkOptions } from "../network/options.ts";
import { shardOfSettings } from "../network/sharding.ts";
import { narrowedRequests } from "../plan/narrowed-requests.ts";
import { planQueries } from "../plan/next-query.ts";
import { queryOrder } from "../plan/query-order.ts";
import { recordRank } from "../plan/record-rank.ts";
import { HashDatabase } from "../store/hash-database.ts";
import { differentNodes, readNetwork } from "./network.ts";
import { defaults } from "./options.ts";

export interface ExpectedQuery {
  readonly node: string;
  readonly url: string;
  /** The node's place in ascending order of ID. */
  readonly index: number;
  readonly partitions: readonly number[];
  readonly requests: number;
}

export interface PlanOptions extends NetworkOptions {
  /** The time of the snapshot: with it, the node list must be that of its cycle. */
  readonly timestamp?: SnapshotTime | undefined;
  /** The file of a hash database, for the records of nodes. */
  readonly hashDb?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AssemblyPlan {
  readonly timestamp: number | null;
  readonly cycle: number | null;
  readonly nodes: number;
  readonly shard: Shard;
  /** Node IDs in the order of Algorithm 1, those with a bad record later. */
  readonly order: readonly string[];
  readonly queries: readonly ExpectedQuery[];
  /** Requests for partial snapshots over all queries. */
  readonly requests: number;
  readonly warnings: readonly string[];
}

/** @throws Failure */
export async function planAssembly(options: PlanOptions): Promise<AssemblyPlan> {
  const client = new HttpClient({
    connectTimeoutMs: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
    stallTimeoutMs: options.stallTimeoutMs ?? defaults.stallTimeoutMs,
  });
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  try {
    const hashKey = options.hashKey ?? DEFAULT_HASH_KEY;
    const { nodes, boundary } = await readNodes(options, { client, hashKey, signal: options.signal, warn });
    const shard = shardOfSettings(nodes.length, options, warn);
    const order = orderOf(nodes, options.hashDb);
    const planned = planQueries(shard, order, new Set(allPartitions(shard)));
    const queries = planned.flatMap(({ nodeIndex, partitions }): ExpectedQuery[] => {
      const node = nodes[nodeIndex];
      if (node === undefined) return [];
      const requests = narrowedRequests(shard, nodeIndex, partitions, 0).length;
      return [{ node: node.id, url: node.url, index: nodeIndex, partitions, requests }];
    });
    const requests = queries.reduce((sum, query) => sum + query.requests, 0);
    return {
      timestamp: boundary?.timestamp ?? null,
      cycle: boundary?.cycle.counter ?? null,
      nodes: nodes.length,
      shard,
      order: order.flatMap((index) => nodes[index]?.id ?? []),
      queries,
      requests,
      warnings,
    };
  } finally {
    await client.close();
  }
}

/** Algorithm 1's, with nodes of a bad record later (they are asked all the same). */
function orderOf(nodes: readonly ActiveNode[], hashDb: string | undefined): number[] {
  const order = queryOrder(nodes.length);
  if (hashDb === undefined) return order;
  const database = HashDatabase.open(hashDb, { mustExist: true });
  try {
    const kinds = database.offenceKinds();
    const rankOf = (index: number) => recordRank(kinds.get(nodes[index]?.id ?? "") ?? []);
    return order.sort((a, b) => rankOf(a) - rankOf(b));
  } finally {
    database.close();
  }
}

async function readNodes(
  options: PlanOptions,
  context: ListContext,
): Promise<{ nodes: readonly ActiveNode[]; boundary: Boundary | undefined }> {
  if (options.timestamp === undefined) {
    const { nodes } = await readNodeList(options, context);
    return { nodes, boundary: undefined };
  }
  const { nodes, boundaries } = await readNetwork(options, options.timestamp, context);
  const [boundary] = boundaries;
  const different = boundary === undefined ? undefined : differentNodes(nodes, boundary.cycle);
  if (different !== undefined) throw different;
  return { nodes, boundary };
}
