/** A cluster that starts within milliseconds: five nodes, each of which stores three partitions. */

import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import { type Cluster, startCluster } from "../../../src/testnet/cluster/cluster.ts";
import { type Fixture, parseFixture } from "../../../src/testnet/cluster/fixture.ts";
import type { SignedVote } from "../../../src/testnet/validator/gossip/vote.ts";

const description = {
  name: "small",
  description: "Five validators.",
  seed: "small",
  nodes: 5,
  nodesPerConsensusGroup: 3,
  nodesPerEdge: 0,
  accounts: 100,
  globalAccounts: 4,
  cycles: 12,
  cycleDuration: 60,
  snapshotCycle: 8,
  expect: { exitStatus: 1 },
};

export function smallFixture(changes: Record<string, unknown> = {}): Fixture {
  return parseFixture(JSON.stringify({ ...description, ...changes }), "small.json");
}

/** Runs an action against a cluster, and stops the cluster at its end. */
export async function withCluster<T>(
  changes: Record<string, unknown>,
  test: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await startCluster(smallFixture(changes));
  try {
    return await test(cluster);
  } finally {
    await cluster.stop();
  }
}

export function urlOf(cluster: Cluster, index: number): string {
  const node = cluster.nodes[index];
  if (node === undefined) throw new RangeError(`unknown node ${index}`);
  return node.url;
}

/** Requests the cluster's snapshot. */
export function postSnapshot(
  cluster: Cluster,
  index: number,
  fields: object = {},
  options: RequestInit = {},
): Promise<Response> {
  const body = JSON.stringify({ timestamp: cluster.snapshotTimestamp, ...fields });
  return fetch(`${urlOf(cluster, index)}/snapshot`, { method: "POST", body, ...options });
}

export async function snapshotOf(
  cluster: Cluster,
  index: number,
  fields: object = {},
): Promise<WrappedData[]> {
  const response = await postSnapshot(cluster, index, fields);
  const { snapshot } = (await response.json()) as { snapshot: WrappedData[] };
  return snapshot;
}

export async function gossipOf(cluster: Cluster, index: number): Promise<SignedVote[]> {
  const url = `${urlOf(cluster, index)}/partition-gossip?cycle=${cluster.snapshotCycle}`;
  const { messages } = (await (await fetch(url)).json()) as { messages: SignedVote[] };
  return messages;
}

/** The hashes of a message in either form. */
export function votesOf({ data }: SignedVote): Record<string, string> {
  const { partitionHash } = data as { partitionHash?: Record<string, string> };
  return partitionHash ?? (data as Record<string, string>);
}
