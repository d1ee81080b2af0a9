/** The nodes of a live cluster, their genesis state and their faults, from its settings. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { WrappedData } from "../../protocol/account-copy.ts";
import { asNodeIndex } from "../../protocol/brands.ts";
import {
  allPartitions,
  makeShard,
  ringPartitions,
  type Shard,
  storedPartitions,
} from "../../protocol/shard.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import { makeIdentities, makeJoiningIdentity } from "../cluster/network.ts";
import { honestSetup, type ValidatorSetup } from "../cluster/validator-setup.ts";
import { applyFault, parseFault } from "../faults/faults.ts";
import type { Random } from "../state/random.ts";
import { SeededState } from "../state/seeded-state.ts";
import { balanceAccount, networkAccount } from "../validator/state/transaction.ts";
import { falseViews } from "./false-state.ts";
import type { LiveSettings } from "./live-settings.ts";
import { joiningValidators } from "./membership/planned-change.ts";

/** The timestamp of all genesis accounts, in milliseconds. */
const genesisMs = 1_700_000_000_000;

/** Genesis balances are multiples of this, up to 2^32 times. */
const balanceUnit = 10n ** 9n;

export function liveNetwork(settings: LiveSettings): ClusterNetwork {
  const { seed, nodes, sharding, pace, genesis } = settings;
  const shard: Shard = makeShard({ ...sharding, numNodes: nodes });
  const state = { seed, ...genesis, accountBytes: 0, emptyPartitions: [], makeAccount };
  return {
    seed,
    identities: makeIdentities(identitySeed(settings), nodes),
    shard,
    state: new SeededState({ ...state, timestampMs: genesisMs }, shard),
    cycleDurationMs: pace.cycleDuration * 1000,
  };
}

function identitySeed({ seed, restart }: LiveSettings): string {
  return restart === undefined ? seed : `${seed}/${restart.previousMarker}`;
}

/** Yields every genesis account. */
export function* genesisAccounts({ state, shard }: ClusterNetwork): Generator<WrappedData> {
  for (const partition of allPartitions(shard)) yield* state.accounts(partition);
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
 * @param number its index in ascending order of ID, or a higher number of a validator that joins later
 * @throws SnapshotError `usage` where a fault is invalid, `configuration` where the node does not support it
 */
export function setUpNode(settings: LiveSettings, network: ClusterNetwork, number: number): ValidatorSetup {
  const { faults, nodes } = settings;
  const setup =
    number < nodes
      ? honestSetup(network, number, storedPartitions(network.shard, asNodeIndex(number)))
      : // The partitions that it will store are not known yet.
        honestSetup(
          network,
          number,
          ringPartitions(network.shard),
          makeJoiningIdentity(identitySeed(settings), number),
        );
  for (const fault of faults) applyFault(parseFault(fault), setup);
  setup.hooks.state.views.push(...falseViews([...setup.lies]));
  return setup;
}

/**
 * Returns the setup of every validator that takes part from the beginning. Checks the faults of those that join, too.
 *
 * @throws SnapshotError as {@link setUpNode}, and `configuration` where a fault names an unknown node
 */
export function setUpNodes(settings: LiveSettings, network: ClusterNetwork): ValidatorSetup[] {
  const joining = joiningValidators(settings);
  const isChurning = settings.membership.churnEvery !== undefined;
  for (const { node, name } of settings.faults.map(parseFault)) {
    if (node === "*" || node < settings.nodes || joining.includes(node) || isChurning) continue;
    throw new SnapshotError("configuration", `fault ${node}:${name}: unknown node ${node}`, {
      hint: `The nodes are 0 to ${settings.nodes - 1}, in ascending order of ID.`,
    });
  }
  for (const number of joining) setUpNode(settings, network, number);
  return network.identities.map((_, index) => setUpNode(settings, network, index));
}
