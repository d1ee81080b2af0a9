/** The network's sharding settings: what the user gives wins, else what most validators say, else the usual. */

import { randomInt } from "node:crypto";
import pLimit from "p-limit";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import {
  netconfigBytesMax,
  netconfigNodes,
  netconfigNodesAtOnce,
  netconfigTimeMaxMs,
} from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import type { Shard } from "../model/shard.ts";
import { parseNetconfig, type ShardingConfig } from "../wire/netconfig.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import { type GivenSettings, shardOf, shardOfSettings } from "./given-sharding.ts";

export interface ShardingContext {
  readonly client: HttpClient;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
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

/**
 * What more than half of the nodes say that could be reached. They are picked at random, so that nobody can
 * choose a place in the network from which to decide; and one that is there but tells no settings counts
 * against all: otherwise a single liar would decide where nobody else answers.
 */
async function askNetconfig(
  nodes: readonly ActiveNode[],
  context: ShardingContext,
): Promise<ShardingConfig | undefined> {
  const asked = pickAtRandom(nodes, netconfigNodes);
  const answers = await pLimit(netconfigNodesAtOnce).map(asked, (node) => netconfigOf(node, context));
  const reached = answers.filter((answer) => answer !== "unreachable");
  const told = reached.filter((answer) => answer !== "nothing");
  const winner = told.find(
    (config) => told.filter((other) => isSame(config, other)).length * 2 > reached.length,
  );
  if (winner === undefined) {
    context.warn(
      told.length === 0
        ? "no validator told its sharding settings in /netconfig"
        : "no majority of validators agrees on the sharding settings in /netconfig",
    );
    return undefined;
  }
  const others = told.filter((config) => !isSame(config, winner)).length;
  if (others > 0)
    context.warn(`${others} of ${told.length} validators tell other sharding settings in /netconfig`);
  return winner;
}

function isSame(a: ShardingConfig, b: ShardingConfig): boolean {
  return a.nodesPerConsensusGroup === b.nodesPerConsensusGroup && a.nodesPerEdge === b.nodesPerEdge;
}

function pickAtRandom<T>(list: readonly T[], count: number): T[] {
  const rest = [...list];
  const picked: T[] = [];
  while (picked.length < count && rest.length > 0) picked.push(...rest.splice(randomInt(rest.length), 1));
  return picked;
}

async function netconfigOf(
  node: ActiveNode,
  { client, signal }: ShardingContext,
): Promise<ShardingConfig | "nothing" | "unreachable"> {
  const url = `${node.url}/netconfig`;
  try {
    const bytes = await client.whole({ url, signal, deadlineMs: netconfigTimeMaxMs }, netconfigBytesMax);
    return parseNetconfig(parseJson(bytes.toString("utf8"), url), url);
  } catch (error) {
    if (error instanceof WireError) return "nothing";
    if (!(error instanceof FetchFailure) || error.kind === "aborted") throw error;
    return error.kind === "unreachable" ? "unreachable" : "nothing";
  }
}
