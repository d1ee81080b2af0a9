/**
 * The network's sharding settings, which decide how many votes carry a partition (PROTOCOL.md, Partitions). What the
 * user gives wins. A `/netconfig` response that hashes to the cycle record's `networkConfigHash` proves them. Failing
 * that, all responses of a random sample must be the same, from at least half of the sample. They are never assumed:
 * under settings of their own choice, a few liars are a majority.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { consensusRadiusOf, makeShard, type Shard } from "../protocol/shard.ts";
import { counted } from "../text/counted.ts";
import { parseNetconfig } from "../wire/netconfig.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import {
  configHashOf,
  type NetconfigResponse,
  type NetconfigSample,
  sampleNetconfig,
} from "./netconfig-sample.ts";
import type { NetworkOptions } from "./network-options.ts";

export type ShardingOverrides = Pick<NetworkOptions, "nodesPerConsensusGroup" | "nodesPerEdge">;

export interface Sharding {
  readonly nodesPerConsensusGroup: number;
  readonly nodesPerEdge: number;
  /** The weaker one, where the two come from different sources. */
  readonly source: TrustSource;
  /** The `/netconfig` response that proves them, as received. */
  readonly proof: Buffer | undefined;
  /** The settings that keep the validators from making snapshots; empty where none does, or nobody was asked. */
  readonly againstSnapshots: readonly string[];
}

export interface ShardingContext {
  readonly client: HttpClient;
  readonly hashKey: string;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
  /** A `/netconfig` response of an earlier run: where no validator proves the settings, it may. */
  readonly kept?: Buffer | undefined;
}

/**
 * @param networkConfigHash of the cycle's record, where the record has one and its marker holds
 * @throws SnapshotError `no-agreement` where the settings are neither given nor proved nor told by all
 */
export async function findSharding(
  nodes: readonly ActiveNode[],
  overrides: ShardingOverrides,
  networkConfigHash: string | undefined,
  context: ShardingContext,
): Promise<Sharding> {
  const { nodesPerConsensusGroup, nodesPerEdge } = overrides;
  if (nodesPerConsensusGroup !== undefined && nodesPerEdge !== undefined) {
    return { nodesPerConsensusGroup, nodesPerEdge, source: "given", proof: undefined, againstSnapshots: [] };
  }
  const sample = await sampleNetconfig(nodes, networkConfigHash, context);
  const proving = sample.proof ?? keptProof(networkConfigHash, context);
  const { config, source, proof } = proving === undefined ? tellUnanimously(sample) : proveBy(proving);
  if (source === "told") {
    const why =
      networkConfigHash === undefined
        ? "the cycle record has no networkConfigHash"
        : "no /netconfig response hashes to the cycle record's networkConfigHash";
    context.warn(`the sharding settings are the validators' word, which nothing proves: ${why}`);
  }
  const group = nodesPerConsensusGroup ?? config.nodesPerConsensusGroup;
  const edge = nodesPerEdge ?? config.nodesPerEdge ?? consensusRadiusOf(group);
  const { againstSnapshots } = config;
  const settings = { nodesPerConsensusGroup: group, nodesPerEdge: edge, againstSnapshots };
  // The response proves its own settings, not those that a user gives in part.
  const isOverridden = nodesPerConsensusGroup !== undefined || nodesPerEdge !== undefined;
  if (isOverridden && source === "proved") return { ...settings, source: "given", proof: undefined };
  return { ...settings, source, proof };
}

/**
 * A network that makes no snapshots has nothing to look for.
 *
 * @throws SnapshotError `no-agreement`
 */
export function requireSnapshotsOn({ againstSnapshots }: Sharding, cycle: number): void {
  if (againstSnapshots.length === 0) return;
  const problem = `the validators of this network make no snapshots: by the configuration of cycle ${cycle}, ${againstSnapshots.join("; ")}`;
  throw new SnapshotError("no-agreement", problem, {
    hint: "Ask the network's operators to change these settings; later cycles can then be assembled.",
  });
}

/**
 * Says that the validators make no snapshots, where they do not: as a `/netconfig` response proves, or as all of a sample
 * state that respond. `undefined` where nothing says so.
 *
 * @param networkConfigHash of the cycle's record, as in {@link findSharding}
 */
export async function describeSnapshotsOff(
  nodes: readonly ActiveNode[],
  networkConfigHash: string | undefined,
  context: ShardingContext,
): Promise<string | undefined> {
  const { proof, responses } = await sampleNetconfig(nodes, networkConfigHash, context);
  const told = proof === undefined ? responses : [proof];
  const [first] = told;
  if (first === undefined || told.some(({ config }) => config.againstSnapshots.length === 0))
    return undefined;
  const whose = proof === undefined ? ` (as ${counted(told.length, "validator")} say, unproved)` : "";
  return `The validators of this network make no snapshots${whose}: ${first.config.againstSnapshots.join("; ")}.`;
}

/** The geometry of a network of so many nodes. */
export function shardOf(
  numNodes: number,
  sharding: Pick<Sharding, "nodesPerConsensusGroup" | "nodesPerEdge">,
): Shard {
  const { nodesPerConsensusGroup, nodesPerEdge } = sharding;
  return makeShard({ numNodes, nodesPerConsensusGroup, nodesPerEdge });
}

type Proof = Pick<NetconfigResponse, "config" | "bytes">;

function keptProof(expectedHash: string | undefined, { kept, hashKey }: ShardingContext): Proof | undefined {
  if (kept === undefined || expectedHash === undefined) return undefined;
  const source = "a /netconfig response of an earlier run";
  try {
    const received = parseJson(kept.toString("utf8"), source);
    if (configHashOf(received, hashKey) !== expectedHash) return undefined;
    return { config: parseNetconfig(received, source), bytes: kept };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}

function proveBy({ config, bytes }: Proof) {
  return { config, source: "proved" as const, proof: bytes };
}

function tellUnanimously(sample: NetconfigSample) {
  const [first, ...others] = sample.responses;
  const isUnanimous = others.every(
    ({ config }) =>
      config.nodesPerConsensusGroup === first?.config.nodesPerConsensusGroup &&
      config.nodesPerEdge === first.config.nodesPerEdge,
  );
  if (first === undefined || !isUnanimous || sample.responses.length * 2 < sample.asked)
    throw undetermined(sample);
  return { config: first.config, source: "told" as const, proof: undefined };
}

const nodesShown = 3;

function undetermined({ asked, responses, failures }: NetconfigSample): SnapshotError {
  const sayings = new Map<string, string[]>();
  for (const { node, config } of responses) {
    const said = `${config.nodesPerConsensusGroup} per consensus group and ${config.nodesPerEdge ?? "no"} per edge`;
    sayings.set(said, [...(sayings.get(said) ?? []), `${node.id.slice(0, 8)} (${node.url ?? "no address"})`]);
  }
  const details = [...sayings].map(([said, nodes]) => `${nodes.length} say ${said}: ${listed(nodes)}`);
  const silent = failures.map(
    ({ node, reason }) => `${node.id.slice(0, 8)} (${node.url ?? "no address"}): ${reason}`,
  );
  if (silent.length > 0) details.push(`${silent.length} do not say: ${listed(silent)}`);
  const problem =
    sayings.size > 1
      ? "validators contradict each other about the sharding settings"
      : `only ${responses.length} of ${asked} validators state the sharding settings`;
  return new SnapshotError("no-agreement", `${problem}, and nothing proves them: ${details.join("; ")}`, {
    hint: "Give the network's settings with --nodes-per-consensus-group and --nodes-per-edge.",
  });
}

function listed(items: readonly string[]): string {
  const more = items.length > nodesShown ? `, and ${items.length - nodesShown} more` : "";
  return `${items.slice(0, nodesShown).join(", ")}${more}`;
}
