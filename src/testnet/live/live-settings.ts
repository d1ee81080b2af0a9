/** What its settings make of a live cluster: its nodes, the state that it begins with, and who misbehaves. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { makeShard, type Shard, storedPartitions } from "../../protocol/shard.ts";
import { type ClusterNetwork, makeIdentities } from "../cluster/network.ts";
import { honestSetup, type NodeSetup } from "../cluster/node-setup.ts";
import { applyFault, parseFault } from "../faults/faults.ts";
import type { Random } from "../state/random.ts";
import { SeededState } from "../state/seeded-state.ts";
import { balanceAccount, networkAccount } from "../validator/state/transaction.ts";
import type { LiveSettings } from "./live-defaults.ts";
import { lyingAbout } from "./state-transforms.ts";

/** What accounts are before the first transaction, all last changed at one moment, in milliseconds. */
const genesisMs = 1_700_000_000_000;

/** Balances at the beginning are multiples of this, up to 2^32 of it. */
const balanceUnit = 10n ** 9n;

export function liveNetwork(settings: LiveSettings): ClusterNetwork {
  const { seed, nodes, accounts, globalAccounts, cycleDuration } = settings;
  const shard: Shard = makeShard({ ...settings, numNodes: nodes });
  const state = { seed, accounts, globalAccounts, accountBytes: 0, emptyPartitions: [], makeAccount };
  return {
    seed,
    identities: makeIdentities(seed, nodes),
    shard,
    state: new SeededState({ ...state, timestampMs: genesisMs }, shard),
    cycleDurationMs: cycleDuration * 1000,
  };
}

function makeAccount(random: Random, accountId: string, timestamp: number, isGlobal: boolean) {
  const number = BigInt(random.uint32()) + 1n;
  return isGlobal
    ? networkAccount(accountId, timestamp, number)
    : balanceAccount(accountId, timestamp, number * balanceUnit);
}

/**
 * One of its validators, with its faults.
 *
 * @throws SnapshotError `usage` where a fault is none, `configuration` where the node cannot have it
 */
export function setUpNode({ faults }: LiveSettings, network: ClusterNetwork, index: number): NodeSetup {
  const setup = honestSetup(network, index, storedPartitions(network.shard, index));
  for (const fault of faults) applyFault(parseFault(fault), setup);
  setup.conduct.beliefs.push(...lyingAbout([...setup.lies]));
  return setup;
}

/** All of them, which is how it is found out whether the faults can be had. */
export function setUpNodes(settings: LiveSettings, network: ClusterNetwork): NodeSetup[] {
  for (const { node, name } of settings.faults.map(parseFault)) {
    if (node === "*" || node < settings.nodes) continue;
    throw new SnapshotError("configuration", `fault ${node}:${name}: there is no node ${node}`, {
      hint: `The nodes are 0 to ${settings.nodes - 1}, in ascending order of their ids.`,
    });
  }
  return network.identities.map((_, index) => setUpNode(settings, network, index));
}
