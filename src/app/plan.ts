/**
 * Plans the queries of a run in which every node gives what is expected. Requests the lists and the sharding settings
 * only. Loads modules where they are needed, since loading takes most of the time.
 */

import { errorOf } from "../errors/problem.ts";
import { planTable } from "../options/assemble-table.ts";
import { type OptionChecks, requireOptions } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import type { Cycle, NodeIndex, Partition } from "../protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../protocol/crypto/hash-key.ts";
import { networkConfigHashOf } from "../protocol/cycle-record.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { queryOrder } from "../protocol/query-order.ts";
import { allNodes, allPartitions, type Shard } from "../protocol/shard.ts";
import { recordRank } from "../sync/peers/record-rank.ts";
import { narrowedRequests } from "../sync/queries/narrowed-requests.ts";
import { type PlannedQuery, planQueries } from "../sync/strategy/algorithm-1.ts";
import { coverQueries } from "../sync/strategy/cover-queries.ts";
import { type OrderCost, orderCost } from "../sync/strategy/order-cost.ts";
import type { OrderRule } from "../sync/strategy/order-rule.ts";
import type { Boundary } from "../trust/chain/boundary.ts";
import { type SnapshotTime, snapshotTimeOf } from "../trust/chain/timestamp.ts";
import type { ListContext } from "../trust/list-source.ts";
import type { NetworkOptions } from "../trust/network-options.ts";
import { openClients } from "../trust/node-addresses.ts";
import { readNodeList, requireActiveNodes } from "../trust/read-node-list.ts";

export interface ExpectedQuery {
  readonly node: string;
  /** `null` if the node list has no usable address of the node. */
  readonly url: string | null;
  /** The node's index in ascending order of ID. */
  readonly index: NodeIndex;
  readonly partitions: readonly Partition[];
  readonly requests: number;
}

export interface PlanOptions extends NetworkOptions {
  /** The time of the snapshot. If it is given, the node list must be that of its cycle. */
  readonly timestamp?: string | number | SnapshotTime | undefined;
  /** The file of a hash database with the records of nodes. */
  readonly hashDb?: string | undefined;
  /** The order whose queries are listed. */
  readonly order?: OrderRule | undefined;
  readonly signal?: AbortSignal | undefined;
}

const planChecks: OptionChecks<PlanOptions> = checksOf(planTable);

export interface AssemblyPlan {
  readonly timestamp: number | null;
  readonly cycle: Cycle | null;
  readonly nodes: number;
  readonly shard: Shard;
  /** Node IDs in the order of Algorithm 1, those with a bad record last; for a cover, the queried nodes. */
  readonly order: readonly string[];
  readonly queries: readonly ExpectedQuery[];
  /** Requests for partial snapshots over all queries. */
  readonly requests: number;
  /** The cost of each order. */
  readonly orders: Readonly<Record<OrderRule, OrderCost>>;
  readonly warnings: readonly string[];
}

/**
 * Computes the queries of an assembly without running them.
 *
 * @throws SnapshotError
 */
export async function planAssembly(options: PlanOptions): Promise<AssemblyPlan> {
  requireOptions("planAssembly", options, planChecks);
  const clients = openClients(options);
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  try {
    const hashKey = options.hashKey ?? DEFAULT_HASH_KEY;
    const context = { client: clients.lists, hashKey, signal: options.signal, warn };
    const { nodes, boundary } = await readNodes(options, context);
    const shard = await findShard(nodes, boundary, options, { ...context, client: clients.nodes });
    const rankOf = await ranksOf(nodes, options.hashDb);
    const plans = { bisect: bisectPlan(shard, rankOf), cover: coverPlan(shard, rankOf) };
    const { order, queries: planned } = plans[options.order ?? planTable.order.default];
    const queries = planned.flatMap(({ nodeIndex, partitions }): ExpectedQuery[] => {
      const node = nodes[nodeIndex];
      if (node === undefined) return [];
      const requests = narrowedRequests({ shard, timestamp: 0 }, nodeIndex, partitions).length;
      return [{ node: node.id, url: node.url ?? null, index: nodeIndex, partitions, requests }];
    });
    return {
      timestamp: boundary?.timestamp ?? null,
      cycle: boundary?.cycle.counter ?? null,
      nodes: nodes.length,
      shard,
      order: order.flatMap((index) => nodes[index]?.id ?? []),
      queries,
      requests: queries.reduce((sum, query) => sum + query.requests, 0),
      orders: {
        bisect: orderCost(shard, plans.bisect.queries),
        cover: orderCost(shard, plans.cover.queries),
      },
      warnings,
    };
  } finally {
    await clients.close();
  }
}

/** Finds the sharding settings by the same rule as a run. */
async function findShard(
  nodes: readonly ActiveNode[],
  boundary: Boundary | undefined,
  options: PlanOptions,
  context: ListContext,
): Promise<Shard> {
  const { findSharding, shardOf } = await import("../trust/sharding.ts");
  const configHash = boundary === undefined ? undefined : networkConfigHashOf(boundary.cycle);
  const sharding = await findSharding(nodes, options, configHash, context);
  const { againstSnapshots } = sharding;
  if (againstSnapshots.length > 0) {
    context.warn(`the validators of this network make no snapshots: ${againstSnapshots.join("; ")}`);
  }
  return shardOf(nodes.length, sharding);
}

interface Plan {
  readonly order: readonly NodeIndex[];
  readonly queries: readonly PlannedQuery[];
}

/** Algorithm 1, with nodes of a bad record last. */
function bisectPlan(shard: Shard, rankOf: (index: NodeIndex) => number): Plan {
  const order = queryOrder(shard.numNodes).sort((a, b) => rankOf(a) - rankOf(b));
  return { order, queries: planQueries(shard, order, new Set(allPartitions(shard))) };
}

/** The fewest nodes. Nodes of a bad record give only partitions that no other node stores. */
function coverPlan(shard: Shard, rankOf: (index: NodeIndex) => number): Plan {
  const groups: NodeIndex[][] = [[], [], []];
  for (const index of allNodes(shard)) groups[rankOf(index)]?.push(index);
  const queries = coverQueries({ shard, groups, needed: new Set(allPartitions(shard)) });
  return { order: queries.map(({ nodeIndex }) => nodeIndex), queries };
}

/** Returns the rank of each node, by its index. A bad record raises the rank. */
async function ranksOf(
  nodes: readonly ActiveNode[],
  hashDb: string | undefined,
): Promise<(index: NodeIndex) => number> {
  if (hashDb === undefined) return () => 0;
  const { HashDatabase } = await import("../store/hash-database/hash-database.ts");
  const database = HashDatabase.open(hashDb, { isReadOnly: true });
  try {
    const kinds = database.offenceKinds();
    const ranks = nodes.map(({ id }) => recordRank(kinds.get(id) ?? []));
    return (index) => ranks[index] ?? 0;
  } finally {
    database.close();
  }
}

async function readNodes(
  options: PlanOptions,
  context: ListContext,
): Promise<{ nodes: readonly ActiveNode[]; boundary: Boundary | undefined }> {
  if (options.timestamp === undefined) {
    const list = await readNodeList(options, context);
    requireActiveNodes(list, undefined);
    return { nodes: list.nodes, boundary: undefined };
  }
  const { readNetwork } = await import("../trust/read-network.ts");
  const { nodes, candidates } = await readNetwork(options, snapshotTimeOf(options.timestamp), context);
  const [candidate] = candidates;
  if (candidate === undefined) return { nodes, boundary: undefined };
  if (candidate.different !== undefined) throw errorOf(candidate.different);
  return { nodes: candidate.members.nodes, boundary: candidate };
}
