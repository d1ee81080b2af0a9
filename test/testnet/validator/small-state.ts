/** The state of one validator of a small network, in a database, at the end of a cycle. */

import { join } from "node:path";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import {
  asCycle,
  asPartition,
  type HashHex,
  type NodeId,
  type Partition,
  type PublicKey,
} from "../../../src/protocol/brands.ts";
import { partitionHashes } from "../../../src/protocol/partition-hash.ts";
import { GLOBAL_PARTITION, makeShard, partitionOf, partitionRange } from "../../../src/protocol/shard.ts";
import { Membership } from "../../../src/testnet/validator/membership/membership.ts";
import { StateDatabase } from "../../../src/testnet/validator/state/state-database.ts";
import { genesisSource } from "../../../src/testnet/validator/state/state-source.ts";
import {
  balanceAccount,
  networkAccount,
  type Transaction,
} from "../../../src/testnet/validator/state/transaction.ts";
import { asHashes, idNamed } from "../../helpers/brands.ts";

export const cycleMs = 1000;

export const sharding = { nodesPerConsensusGroup: 3, nodesPerEdge: 0 };

export const shard = makeShard({ numNodes: 4, ...sharding });

/** The partitions of node 0, with the global one. */
export const partitions = [GLOBAL_PARTITION, 0, 1, 3];

const perPartition = 40;

/** The accounts of all partitions, ascending. */
export const genesis: readonly WrappedData[] = [
  ...[0, 1, 2, 3].flatMap((partition) => {
    const prefix = partitionRange(shard, asPartition(partition)).low.slice(0, 4);
    return Array.from({ length: perPartition }, (_, index) =>
      balanceAccount(prefix + index.toString(16).padStart(60, "0"), 1, 1000n + BigInt(index)),
    );
  }),
  networkAccount("77".repeat(32), 1, 5n),
].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));

/** Returns the accounts that node 0 stores. */
export function held(accounts: readonly WrappedData[]): WrappedData[] {
  return accounts.filter(
    (account) =>
      account.syncData?.isGlobal === true || partitions.includes(partitionOf(shard, account.accountId)),
  );
}

/** The hashes of the partitions of node 0. */
export function hashesOf(accounts: readonly WrappedData[]): Map<Partition, HashHex> {
  const hashes = partitionHashes(accounts, shard);
  return asHashes(partitions.map((partition) => [partition, hashes.get(asPartition(partition)) ?? ""]));
}

/** Returns the end of a cycle, in milliseconds. */
export function endOf(cycle: number): number {
  return (cycle + 1) * cycleMs;
}

/** A node of a network whose nodes do not change. */
export interface TestNode {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly url: string;
}

/** The membership from the view of the first node, with all nodes active from the beginning. */
export function membershipOf(
  nodes: readonly TestNode[],
  own = nodes[0]?.id ?? idNamed("no node"),
): Membership {
  const first = asCycle(0);
  const spans = nodes.map((node) => ({ ...node, joined: first, activated: first, removed: undefined }));
  return new Membership(own, sharding, spans);
}

/** Returns a database with the accounts at the end of cycle 0. */
export async function openState(directory: string, accounts = genesis): Promise<StateDatabase> {
  const source = genesisSource(() => accounts);
  const database = await StateDatabase.open(join(directory, "state.sqlite"), source);
  endCycle(database, 0);
  return database;
}

/** Commits the transactions and the end of a cycle. */
export function endCycle(
  database: StateDatabase,
  cycle: number,
  transactions: readonly Transaction[] = [],
): void {
  const progress = {
    cycle,
    isBoundary: true,
    isMarked: true,
    position: cycle,
    startMs: 0,
    durationMs: cycleMs,
  };
  database.commit({ transactions, progress });
}

/** A transfer from each account of partition 0 to another. */
export function transfers(timestamp: number): Transaction[] {
  const senders = genesis.filter(({ accountId }) => partitionOf(shard, accountId) === 0);
  const to = genesis.at(-1)?.accountId ?? "";
  return senders.map(({ accountId }) => ({ type: "transfer", timestamp, from: accountId, to, amount: "5" }));
}
