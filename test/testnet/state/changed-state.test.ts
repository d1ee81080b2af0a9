/** A newer state that is derived from an older one, and what a client can rebuild of it from a delta. */

import { describe, expect, it } from "vitest";
import { isGlobalAccount, type WrappedData } from "../../../src/protocol/account-copy.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { partitionHashes } from "../../../src/protocol/partition-hash.ts";
import { allPartitions, partitionOf } from "../../../src/protocol/shard.ts";
import { olderFixture } from "../../../src/testnet/cluster/fixture.ts";
import { hashesOf, makeNetwork, type Network } from "../../../src/testnet/cluster/network.ts";
import { EVERYTHING } from "../../../src/wire/snapshot-request.ts";
import { byId } from "../../helpers/accounts.ts";
import { withOlderAndNewer } from "../../helpers/older-and-newer.ts";
import { smallFixture, snapshotOf } from "../cluster/small-cluster.ts";

const settleMs = 8000;

interface Shape {
  readonly nodes?: number;
  readonly sinceNodes?: number;
  readonly deleted?: number;
  readonly emptyPartitions?: readonly number[];
}

function changedFixture({ nodes = 9, sinceNodes = 9, deleted = 0, emptyPartitions = [] }: Shape = {}) {
  const changes = { sinceCycle: 7, sinceNodes, seed: "later", changed: 0.1, created: 0.02, deleted };
  return smallFixture({ nodes, accounts: 2000, globalAccounts: 50, emptyPartitions, changes });
}

function bothNetworks(shape?: Shape): [older: Network, newer: Network] {
  const fixture = changedFixture(shape);
  return [makeNetwork(olderFixture(fixture)), makeNetwork(fixture)];
}

function allAccounts({ state, shard }: Network): WrappedData[] {
  return allPartitions(shard).flatMap((partition) => [...state.accounts(partition)]);
}

function delta({ state, shard }: Network, changedSince: number): WrappedData[] {
  return allPartitions(shard).flatMap((partition) =>
    Array.from(state.places(partition, { ...EVERYTHING, changedSince }), (place) =>
      state.account(partition, place),
    ),
  );
}

/** Returns the union of a seed and a delta, the newer account winning. */
function merged(seed: readonly WrappedData[], changes: readonly WrappedData[]): WrappedData[] {
  const accounts = new Map(seed.map((account) => [account.accountId, account]));
  for (const account of changes) {
    const known = accounts.get(account.accountId);
    if (known === undefined || known.timestamp < account.timestamp) accounts.set(account.accountId, account);
  }
  return [...accounts.values()].sort(byId);
}

describe("a newer state", () => {
  it.each([
    { id: "as many nodes as before", nodes: 9 },
    { id: "one node more", nodes: 10 },
    { id: "a tenth of the nodes gone", nodes: 18, sinceNodes: 20 },
    { id: "a single node", nodes: 1 },
    { id: "empty partitions", nodes: 8, emptyPartitions: [0, 3, 8] },
  ])("is the older one with its delta: $id", async ({ id: _, ...shape }) => {
    const [older, newer] = bothNetworks(shape);
    const changes = delta(newer, older.snapshotTimestamp - settleMs);
    expect(changes.length).toBeLessThan(300);
    const rebuilt = merged(allAccounts(older), changes);
    expect(partitionHashes(rebuilt, newer.shard)).toEqual(await hashesOf(newer));
  });

  it("has its exact shares of changes, of global accounts too", () => {
    const [older, newer] = bothNetworks({ nodes: 10, deleted: 0.04 });
    for (const [isGlobal, total] of [
      [false, 2000],
      [true, 50],
    ] as const) {
      const of = (network: Network) =>
        new Map(
          allAccounts(network)
            .filter((account) => isGlobalAccount(account) === isGlobal)
            .map((account) => [account.accountId, account]),
        );
      const [before, after] = [of(older), of(newer)];
      const created = [...after.keys()].filter((accountId) => !before.has(accountId));
      const deleted = [...before.keys()].filter((accountId) => !after.has(accountId));
      const changed = [...after].filter(
        ([accountId, { stateId }]) => before.has(accountId) && before.get(accountId)?.stateId !== stateId,
      );
      expect(before.size).toBe(total);
      expect(created).toHaveLength(total * 0.02);
      expect(deleted).toHaveLength(total * 0.04);
      expect(changed.length).toBeLessThanOrEqual(total * 0.1);
      expect(changed.length).toBeGreaterThan(total * 0.08);
      const kept = [...after.values()].filter(
        ({ accountId, stateId }) => before.get(accountId)?.stateId === stateId,
      );
      expect(kept).toEqual(kept.map(({ accountId }) => before.get(accountId)));
    }
  });

  it("is in ascending order, with each account in its partition, and finds each by its address", () => {
    const [, { state, shard }] = bothNetworks({ nodes: 7, deleted: 0.05 });
    for (const partition of allPartitions(shard)) {
      const ids = Array.from(state.accounts(partition), ({ accountId }) => accountId);
      expect(ids).toHaveLength(state.countOf(partition));
      expect(ids).toEqual([...new Set(ids)].sort());
      if (partition >= 0) expect(ids.every((id) => partitionOf(shard, id) === partition)).toBe(true);
      for (const [place, accountStart] of ids.entries()) {
        const one = { ...EVERYTHING, accountStart, accountEnd: accountStart };
        expect([...state.places(partition, one)]).toEqual([place]);
      }
    }
  });

  it("has changes from the settle time before the older snapshot on, and of its very moment", () => {
    const [older, newer] = bothNetworks();
    const before = new Map(allAccounts(older).map((account) => [account.accountId, account]));
    const changes = allAccounts(newer).filter(
      ({ accountId, stateId }) => before.get(accountId)?.stateId !== stateId,
    );
    const times = changes.map(({ timestamp }) => timestamp - older.snapshotTimestamp);
    expect(Math.min(...times)).toBe(-settleMs);
    expect(times).toContain(0);
    expect(times.filter((time) => time > -settleMs && time < 0).length).toBeGreaterThan(5);
    expect(times.filter((time) => time > 0).length).toBeGreaterThan(50);
    expect(Math.max(...times)).toBeLessThan(newer.snapshotTimestamp - older.snapshotTimestamp - settleMs);
    for (const { accountId, timestamp } of changes) {
      expect(timestamp).toBeGreaterThan(before.get(accountId)?.timestamp ?? 0);
    }
  });

  it("knows the earlier version of each account but the created ones", () => {
    const [older, newer] = bothNetworks({ nodes: 10 });
    const before = new Map(allAccounts(older).map((account) => [account.accountId, account]));
    for (const account of allAccounts(newer)) {
      expect(newer.state.earlier(account)).toEqual(before.get(account.accountId));
    }
  });

  it("makes no account before one is read", () => {
    let made = 0;
    const fixture = changedFixture({ nodes: 10, deleted: 0.02 });
    const { state } = makeNetwork(fixture, (random, accountId, timestamp) => {
      made++;
      return { accountId, stateId: random.hex(8), data: "", timestamp };
    });
    expect(made).toBe(0);
    expect(state.account(asPartition(9), state.countOf(asPartition(9)) - 1).accountId).toMatch(/^f/);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(2);
  });

  it("differs for another seed of changes, and not for the same", async () => {
    const [, newer] = bothNetworks();
    const [, again] = bothNetworks();
    const fixture = changedFixture();
    const changes = { ...fixture.changes, seed: "another" };
    const other = makeNetwork(smallFixture({ ...fixture, faults: [], changes }));
    const hashes = await hashesOf(newer);
    expect(await hashesOf(again)).toEqual(hashes);
    expect((await hashesOf(other)).get(asPartition(3))).not.toBe(hashes.get(asPartition(3)));
  });
});

it("a client rebuilds a newer cluster's partitions from an older cluster's snapshot and deltas", async () => {
  const fixture = changedFixture({ nodes: 6, sinceNodes: 5 });
  await withOlderAndNewer(fixture, async (older, newer) => {
    const seed = await Promise.all(older.nodes.map(({ index }) => snapshotOf(older, index)));
    const changedSince = older.snapshotTimestamp - settleMs;
    const deltas = await Promise.all(
      newer.nodes.map(({ index }) => snapshotOf(newer, index, { changedSince })),
    );
    const network = makeNetwork(fixture);
    const rebuilt = merged(seed.flat(), deltas.flat());
    expect(partitionHashes(rebuilt, network.shard)).toEqual(await hashesOf(network));
    expect(newer.snapshotTimestamp).toBeGreaterThan(older.snapshotTimestamp);
    expect(newer.networkHash).not.toBe(older.networkHash);
  });
});
