/**
 * Finds the network's sharding settings, which determine how many votes a partition needs (PROTOCOL.md, Partitions).
 * Settings from the user take precedence. A `/netconfig` response that hashes to the cycle record's `networkConfigHash`
 * proves them. Otherwise, at least half of a random sample must respond, and all responses must be the same. Settings are
 * never assumed: under settings of their own choice, a few dishonest nodes are a majority.
 */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import type { Cycle, HashHex } from "../protocol/brands.ts";
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
  /** The weaker source, if the two settings have different ones. */
  readonly source: TrustSource;
  /** The `/netconfig` response that proves them, as received. */
  readonly proof: Buffer | undefined;
  /** Settings that prevent snapshots; empty if none does, or no validator was queried. */
  readonly againstSnapshots: readonly string[];
}

export interface ShardingContext {
  readonly client: HttpClient;
  readonly hashKey: string;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
  /** A `/netconfig` response of an earlier run, which may prove the settings if no validator's response does. */
  readonly kept?: Buffer | undefined;
}

/**
 * @param networkConfigHash the hash in the cycle's record, if it has one and its marker is valid
 * @throws SnapshotError `no-agreement` if the settings are neither given nor proved nor unanimous
 */
export async function findSharding(
  nodes: readonly ActiveNode[],
  overrides: ShardingOverrides,
  networkConfigHash: HashHex | undefined,
  context: ShardingContext,
): Promise<Sharding> {
  const { nodesPerConsensusGroup, nodesPerEdge } = overrides;
  if (nodesPerConsensusGroup !== undefined && nodesPerEdge !== undefined) {
    return { nodesPerConsensusGroup, nodesPerEdge, source: "given", proof: undefined, againstSnapshots: [] };
  }
  const sample = await sampleNetconfig(nodes, networkConfigHash, context);
  const proving = sample.proof ?? keptProof(networkConfigHash, context);
  const { config, source, proof } = proving === undefined ? requireUnanimous(sample) : proveBy(proving);
  if (source === "told") {
    const why =
      networkConfigHash === undefined
        ? "the cycle record has no networkConfigHash"
        : "no /netconfig response hashes to the cycle record's networkConfigHash";
    context.warn(`validators state the sharding settings, but nothing proves them: ${why}`);
  }
  const group = nodesPerConsensusGroup ?? config.nodesPerConsensusGroup;
  const edge = nodesPerEdge ?? config.nodesPerEdge ?? consensusRadiusOf(group);
  const { againstSnapshots } = config;
  const settings = { nodesPerConsensusGroup: group, nodesPerEdge: edge, againstSnapshots };
  // The response does not prove a setting that the user overrides.
  const isOverridden = nodesPerConsensusGroup !== undefined || nodesPerEdge !== undefined;
  if (isOverridden && source === "proved") return { ...settings, source: "given", proof: undefined };
  return { ...settings, source, proof };
}

/**
 * Checks that the validators make snapshots.
 *
 * @throws SnapshotError `no-agreement` if their settings prevent it
 */
export function requireSnapshotsOn({ againstSnapshots }: Sharding, cycle: Cycle): void {
  if (againstSnapshots.length === 0) return;
  const problem = `the validators of this network make no snapshots: by the configuration of cycle ${cycle}, ${againstSnapshots.join("; ")}`;
  throw new SnapshotError("no-agreement", problem, {
    hint: "Ask the network's operators to change these settings; later cycles can then be assembled.",
  });
}

/**
 * Returns a sentence that the validators make no snapshots, if a `/netconfig` response proves it, or all responses of a
 * sample state it; else `undefined`.
 *
 * @param networkConfigHash as in {@link findSharding}
 */
export async function describeSnapshotsOff(
  nodes: readonly ActiveNode[],
  networkConfigHash: HashHex | undefined,
  context: ShardingContext,
): Promise<string | undefined> {
  const { proof, responses } = await sampleNetconfig(nodes, networkConfigHash, context);
  const stated = proof === undefined ? responses : [proof];
  const [first] = stated;
  if (first === undefined || stated.some(({ config }) => config.againstSnapshots.length === 0))
    return undefined;
  const whose = proof === undefined ? ` (stated by ${counted(stated.length, "validator")}, not proved)` : "";
  return `The validators of this network make no snapshots${whose}: ${first.config.againstSnapshots.join("; ")}.`;
}

/** Returns the geometry of a network with the given number of nodes. */
export function shardOf(
  numNodes: number,
  sharding: Pick<Sharding, "nodesPerConsensusGroup" | "nodesPerEdge">,
): Shard {
  const { nodesPerConsensusGroup, nodesPerEdge } = sharding;
  return makeShard({ numNodes, nodesPerConsensusGroup, nodesPerEdge });
}

type Proof = Pick<NetconfigResponse, "config" | "bytes">;

function keptProof(expectedHash: HashHex | undefined, { kept, hashKey }: ShardingContext): Proof | undefined {
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

function requireUnanimous(sample: NetconfigSample) {
  const [first, ...others] = sample.responses;
  const isUnanimous = others.every(
    ({ config }) =>
      config.nodesPerConsensusGroup === first?.config.nodesPerConsensusGroup &&
      config.nodesPerEdge === first.config.nodesPerEdge,
  );
  if (first === undefined || !isUnanimous || sample.responses.length * 2 < sample.size)
    throw undetermined(sample);
  return { config: first.config, source: "told" as const, proof: undefined };
}

const nodesShown = 3;

function undetermined({ size, responses, failures }: NetconfigSample): SnapshotError {
  const nodesOf = new Map<string, string[]>();
  for (const { node, config } of responses) {
    const settings = `${config.nodesPerConsensusGroup} per consensus group and ${config.nodesPerEdge ?? "no"} per edge`;
    nodesOf.set(settings, [
      ...(nodesOf.get(settings) ?? []),
      `${node.id.slice(0, 8)} (${node.url ?? "no address"})`,
    ]);
  }
  const details = [...nodesOf].map(
    ([settings, nodes]) => `${nodes.length} state ${settings}: ${listed(nodes)}`,
  );
  const silent = failures.map(
    ({ node, reason }) => `${node.id.slice(0, 8)} (${node.url ?? "no address"}): ${reason}`,
  );
  if (silent.length > 0) details.push(`${silent.length} without a response: ${listed(silent)}`);
  const problem =
    nodesOf.size > 1
      ? "validators contradict each other about the sharding settings"
      : `only ${responses.length} of ${size} validators state the sharding settings`;
  return new SnapshotError("no-agreement", `${problem}, and nothing proves them: ${details.join("; ")}`, {
    hint: "Give the network's settings with --nodes-per-consensus-group and --nodes-per-edge.",
  });
}

function listed(items: readonly string[]): string {
  const more = items.length > nodesShown ? `, and ${items.length - nodesShown} more` : "";
  return `${items.slice(0, nodesShown).join(", ")}${more}`;
}
