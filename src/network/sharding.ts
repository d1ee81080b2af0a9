/** The network's sharding settings: what the user gives wins, else what most validators say, else the usual. */

import pLimit from "p-limit";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import { netconfigBytesMax, netconfigNodes } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import {
  DEFAULT_NODES_PER_CONSENSUS_GROUP,
  DEFAULT_NODES_PER_EDGE,
  makeShard,
  type Shard,
} from "../model/shard.ts";
import { queryOrder } from "../plan/query-order.ts";
import { parseNetconfig, type ShardingConfig } from "../wire/netconfig.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import type { NetworkOptions } from "./options.ts";

export interface ShardingContext {
  readonly client: HttpClient;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
}

type GivenSettings = Pick<NetworkOptions, "nodesPerConsensusGroup" | "nodesPerEdge">;

/** The geometry by the given settings alone; what is not given has its usual value, with a warning. */
export function shardOfSettings(
  numNodes: number,
  given: GivenSettings,
  warn: (message: string) => void,
): Shard {
  if (given.nodesPerConsensusGroup === undefined) {
    const nodesPerEdge = given.nodesPerEdge ?? DEFAULT_NODES_PER_EDGE;
    warn(
      `taking the usual ${DEFAULT_NODES_PER_CONSENSUS_GROUP} nodes per consensus group and ${nodesPerEdge} per edge, unless --nodes-per-consensus-group and --nodes-per-edge say otherwise`,
    );
    return shardOf(numNodes, DEFAULT_NODES_PER_CONSENSUS_GROUP, nodesPerEdge);
  }
  return shardOf(numNodes, given.nodesPerConsensusGroup, given.nodesPerEdge);
}

/** The geometry, by asking validators for what is not given. */
export async function findShard(
  nodes: readonly ActiveNode[],
  given: GivenSettings,
  context: ShardingContext,
): Promise<Shard> {
  if (given.nodesPerConsensusGroup !== undefined && given.nodesPerEdge !== undefined) {
    return shardOf(nodes.length, given.nodesPerConsensusGroup, given.nodesPerEdge);
  }
  const said = await askNetconfig(nodes, context);
  if (said === undefined) return shardOfSettings(nodes.length, given, context.warn);
  const nodesPerConsensusGroup = given.nodesPerConsensusGroup ?? said.nodesPerConsensusGroup;
  return shardOf(nodes.length, nodesPerConsensusGroup, given.nodesPerEdge ?? said.nodesPerEdge);
}

function shardOf(numNodes: number, nodesPerConsensusGroup: number, nodesPerEdge: number | undefined): Shard {
  return makeShard({
    numNodes,
    nodesPerConsensusGroup,
    ...(nodesPerEdge === undefined ? {} : { nodesPerEdge }),
  });
}

/** What more than half of the answers say; a few nodes more are asked for each that does not answer. */
async function askNetconfig(
  nodes: readonly ActiveNode[],
  { client, signal, warn }: ShardingContext,
): Promise<ShardingConfig | undefined> {
  const asked = queryOrder(nodes.length)
    .slice(0, 3 * netconfigNodes)
    .flatMap((index) => nodes[index] ?? []);
  const answers: ShardingConfig[] = [];
  const ask = async (node: ActiveNode) => {
    if (answers.length >= netconfigNodes) return;
    const answer = await netconfigOf(node, client, signal);
    if (answer !== undefined) answers.push(answer);
  };
  await pLimit(netconfigNodes).map(asked, ask);
  const winner = majorityOf(answers);
  if (winner === undefined) {
    warn(
      answers.length === 0
        ? "no validator told its /netconfig"
        : "no majority of validators agrees on /netconfig",
    );
  } else if (winner.count < answers.length) {
    warn(
      `${answers.length - winner.count} of ${answers.length} validators tell other sharding settings in /netconfig`,
    );
  }
  return winner?.config;
}

function majorityOf(
  answers: readonly ShardingConfig[],
): { config: ShardingConfig; count: number } | undefined {
  for (const config of answers) {
    const same = answers.filter(
      (other) =>
        other.nodesPerConsensusGroup === config.nodesPerConsensusGroup &&
        other.nodesPerEdge === config.nodesPerEdge,
    );
    if (same.length * 2 > answers.length) return { config, count: same.length };
  }
  return undefined;
}

async function netconfigOf(
  node: ActiveNode,
  client: HttpClient,
  signal: AbortSignal | undefined,
): Promise<ShardingConfig | undefined> {
  const url = `${node.url}/netconfig`;
  try {
    const bytes = await client.whole({ url, signal }, netconfigBytesMax);
    return parseNetconfig(parseJson(bytes.toString("utf8"), url), url);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    if (error instanceof FetchFailure && error.kind !== "aborted") return undefined;
    throw error;
  }
}
