/** The nodes of a live cluster, their genesis state and their faults, from its settings. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { NodeIndex } from "../../protocol/brands.ts";
import { allNodes, makeShard, type Shard, storedPartitions } from "../../protocol/shard.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import { makeIdentities } from "../cluster/network.ts";
import { honestSetup, type ValidatorSetup } from "../cluster/validator-setup.ts";
import { applyFault, parseFault } from "../faults/faults.ts";
import type { Random } from "../state/random.ts";
import { SeededState } from "../state/seeded-state.ts";
import { balanceAccount, networkAccount } from "../validator/state/transaction.ts";
import { falseViews } from "./false-state.ts";
import type { LiveSettings } from "./live-settings.ts";

/** The timestamp of all genesis accounts, in milliseconds. */
const genesisMs = 1_700_000_000_000;

/** Genesis balances are multiples of this, up to 2^32 times. */
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
 * Returns the setup of one validator, with its faults.
 *
 * @throws SnapshotError `usage` where a fault is invalid, `configuration` where the node does not support it
 */
export function setUpNode(
  { faults }: LiveSettings,
  network: ClusterNetwork,
  index: NodeIndex,
): ValidatorSetup {
  const setup = honestSetup(network, index, storedPartitions(network.shard, index));
  for (const fault of faults) applyFault(parseFault(fault), setup);
  setup.hooks.state.views.push(...falseViews([...setup.lies]));
  return setup;
}

/**
 * Returns the setup of every validator, which checks all faults.
 *
 * @throws SnapshotError as {@link setUpNode}, and `configuration` where a fault names an unknown node
 */
export function setUpNodes(settings: LiveSettings, network: ClusterNetwork): ValidatorSetup[] {
  for (const { node, name } of settings.faults.map(parseFault)) {
    if (node === "*" || node < settings.nodes) continue;
    throw new SnapshotError("configuration", `fault ${node}:${name}: unknown node ${node}`, {
      hint: `The nodes are 0 to ${settings.nodes - 1}, in ascending order of ID.`,
    });
  }
  return allNodes(network.shard).map((index) => setUpNode(settings, network, index));
}
