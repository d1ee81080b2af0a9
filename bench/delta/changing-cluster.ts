/**
 * Clusters whose state is a later one of another cluster's, each cluster in a process of its own, and the bytes of what
 * has changed.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WrappedData } from "../../dist/protocol/account-copy.js";
import { allPartitions } from "../../dist/protocol/shard.js";
import type { Cluster } from "../../dist/testnet/cluster/cluster.js";
import { parseFixture } from "../../dist/testnet/cluster/fixture.js";
import { makeNetwork, type Network } from "../../dist/testnet/cluster/network.js";
import { spawnCluster } from "../../dist/testnet/cluster/spawn-cluster.js";
import { type MeasuredRun, measuredRun } from "../measured-run.ts";

/** In wire form and on average, for states of about as many bytes as are wanted. */
const bytesPerAccount = 750;

export interface ClusterShape {
  readonly megabytes: number;
  readonly nodes: number;
  readonly sinceNodes: number;
  /** The share of the older state's accounts; a tenth of them are created, the others changed. */
  readonly changed: number;
  readonly faults?: readonly string[];
}

/** A fixture as its file has it. */
export type Description = ReturnType<typeof describe>;

export function describe({ megabytes, nodes, sinceNodes, changed, faults = [] }: ClusterShape) {
  const sharding = Math.min(nodes, sinceNodes) > 5 ? [5, 2] : [3, 0];
  const [nodesPerConsensusGroup = 0, nodesPerEdge = 0] = sharding;
  return {
    name: `changing-${nodes}`,
    description: "Validators whose state changes.",
    seed: `changing-${sinceNodes}`,
    nodes,
    nodesPerConsensusGroup,
    nodesPerEdge,
    accounts: Math.round((megabytes * 1e6) / bytesPerAccount),
    accountBytes: 300,
    globalAccounts: 20,
    changes: {
      sinceCycle: 7,
      sinceNodes,
      seed: `changes-${changed}`,
      changed: 0.9 * changed,
      created: 0.1 * changed,
      deleted: 0,
    },
    cycles: 12,
    cycleDuration: 60,
    snapshotCycle: 8,
    faults,
    expect: { exitStatus: 1 },
  };
}

/** The same network before its changes. */
export function describeOlder(shape: ClusterShape) {
  const { changes, ...others } = describe({ ...shape, nodes: shape.sinceNodes });
  return { ...others, snapshotCycle: changes.sinceCycle };
}

/**
 * Assembles the snapshot of a cluster, which is stopped then.
 *
 * @param flags without those of the network
 */
export async function assembleCluster(
  description: Description | ReturnType<typeof describeOlder>,
  scratch: string,
  flags: readonly string[],
): Promise<MeasuredRun> {
  const path = join(scratch, `${description.name}.json`);
  await writeFile(path, JSON.stringify(description));
  const cluster = await spawnCluster(path);
  try {
    const { nodesPerConsensusGroup, nodesPerEdge } = description;
    const sizes = ["--nodes-per-consensus-group", nodesPerConsensusGroup, "--nodes-per-edge", nodesPerEdge];
    const run = await measuredRun([...listFlags(cluster), ...sizes.map(String), ...flags]);
    if (run.summary.networkHash !== cluster.networkHash) throw new Error("the run has another state");
    return run;
  } finally {
    await cluster.stop();
  }
}

function listFlags({ archiverUrl, snapshotTimestamp }: Cluster): string[] {
  return ["--archiver", archiverUrl, "--timestamp", String(snapshotTimestamp)];
}

/** Returns the bytes of the accounts in wire form, each with a comma. */
export function stateBytes(description: Description): number {
  return sum(networkOf(description), wireBytes);
}

/** Returns the bytes of the accounts that are not in the older state as they are, in wire form, each with a comma. */
export function changedBytes(description: Description): number {
  const network = networkOf(description);
  return sum(network, (account) => {
    const earlier = network.state.earlier(account);
    return earlier?.stateId === account.stateId ? 0 : wireBytes(account);
  });
}

function networkOf(description: Description): Network {
  return makeNetwork(parseFixture(JSON.stringify(description), description.name));
}

function sum({ shard, state }: Network, bytesOf: (account: WrappedData) => number): number {
  let total = 0;
  for (const partition of allPartitions(shard)) {
    for (const account of state.accounts(partition)) total += bytesOf(account);
  }
  return total;
}

function wireBytes(account: WrappedData): number {
  return Buffer.byteLength(JSON.stringify(account)) + 1;
}
