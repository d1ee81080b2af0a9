import { describe, expect, it } from "vitest";
import { isHex64 } from "../../../src/protocol/address.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { canonicalTextOf } from "../../../src/protocol/crypto/canonical-text.ts";
import { partitionHashes } from "../../../src/protocol/partition-hash.ts";
import { allPartitions, partitionOf, type Shard } from "../../../src/protocol/shard.ts";
import { hashesOf, makeNetwork } from "../../../src/testnet/cluster/network.ts";
import type { GeneratedState } from "../../../src/testnet/state/generated-state.ts";
import { NodeAccounts } from "../../../src/testnet/state/node-accounts.ts";
import { EVERYTHING } from "../../../src/wire/snapshot-request.ts";
import { smallFixture } from "../cluster/small-cluster.ts";

const changes = { nodes: 7, accounts: 1000, globalAccounts: 30, emptyPartitions: [2, 5] };
const { state, shard, snapshotTimestamp } = makeNetwork(smallFixture(changes));

function allAccounts(from: GeneratedState, of: Shard) {
  return allPartitions(of).flatMap((partition) => [...from.accounts(partition)]);
}

describe("the state from a seed", () => {
  it("is the same for the same seed, and differs for another seed", () => {
    const same = makeNetwork(smallFixture(changes));
    const other = makeNetwork(smallFixture({ ...changes, seed: "another" }));
    expect(allAccounts(same.state, shard)).toEqual(allAccounts(state, shard));
    expect(other.state.hashOf(asPartition(0))).not.toBe(state.hashOf(asPartition(0)));
  });

  it("has the accounts of its settings, and none in empty partitions", () => {
    const counts = allPartitions(shard).map((partition) => state.countOf(partition));
    expect(counts).toEqual([30, 200, 200, 0, 200, 200, 0, 200]);
  });

  it("is in ascending order, with each account in its partition", () => {
    for (const partition of allPartitions(shard)) {
      const ids = [...state.accounts(partition)].map(({ accountId }) => accountId);
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(ids.every(isHex64)).toBe(true);
      if (partition >= 0) expect(ids.every((id) => partitionOf(shard, id) === partition)).toBe(true);
    }
  });

  it("has no account that is newer than its timestamp", () => {
    expect(allAccounts(state, shard).every(({ timestamp }) => timestamp < snapshotTimestamp)).toBe(true);
  });

  it("has the hashes of the reference model", async () => {
    const { state: large, ...network } = makeNetwork(smallFixture({ ...changes, accountBytes: 2000 }));
    const expected = partitionHashes(allAccounts(large, shard), shard);
    expect(await hashesOf({ ...network, state: large })).toEqual(expected);
  });

  it("has every kind of data, and data that is not canonical", () => {
    const accounts = allAccounts(state, shard).map(({ data }) => data);
    const texts = accounts.map((data) => JSON.stringify(data));
    for (const part of ['"dataType":"bi"', '"dataType":"u8ab"', '"type":"Buffer"', "🚀", "\\\\", "\\u2028"]) {
      const character = part === "\\u2028" ? "\u2028" : part;
      expect(texts.some((text) => text.includes(character))).toBe(true);
    }
    expect(accounts.some((data) => typeof data === "string" && data.startsWith("{"))).toBe(true);
    expect(accounts.some((data) => typeof data === "string" && !data.startsWith("{"))).toBe(true);
    expect(texts.filter((text, index) => text !== canonicalTextOf(accounts[index])).length).toBeGreaterThan(
      500,
    );
  });

  it("finds the accounts of a range without generating those before", () => {
    const ids = [...state.accounts(asPartition(3))].map(({ accountId }) => accountId);
    const range = { ...EVERYTHING, accountStart: ids[20] ?? "", accountEnd: ids[40] ?? "", isGlobal: false };
    expect(state.selected(asPartition(3), range)).toEqual({ from: 20, to: 41 });
    expect(state.selected(asPartition(3), EVERYTHING)).toEqual({ from: 0, to: 200 });
    expect(state.selected(asPartition(3), { ...EVERYTHING, isGlobal: true })).toEqual({ from: 0, to: 0 });
    expect(state.selected(asPartition(-1), { ...EVERYTHING, isGlobal: true })).toEqual({ from: 0, to: 30 });
    expect(state.selected(asPartition(4), range)).toEqual({ from: 0, to: 0 });
  });

  it("selects the accounts that changed since a moment, combined with a range and a kind", () => {
    const since = snapshotTimestamp - 3 * 24 * 3600 * 1000;
    const ids = [...state.accounts(asPartition(3))].map(({ accountId }) => accountId);
    const range = { ...EVERYTHING, accountStart: ids[20] ?? "", accountEnd: ids[180] ?? "" };
    for (const selection of [EVERYTHING, range, { ...EVERYTHING, isGlobal: true }]) {
      for (const partition of allPartitions(shard)) {
        const selected = [...state.places(partition, selection)];
        const changed = selected.filter((place) => state.account(partition, place).timestamp >= since);
        const delta = { ...selection, changedSince: since };
        expect([...state.places(partition, delta)]).toEqual(changed);
        expect(state.count(partition, delta)).toBe(changed.length);
        expect(state.count(partition, selection)).toBe(selected.length);
      }
    }
    expect(state.count(asPartition(3), { ...range, changedSince: since })).toBeGreaterThan(5);
  });

  it("makes the changed accounts alone for a delta", async () => {
    let made = 0;
    const counted = makeNetwork(smallFixture(changes), (random, accountId, timestamp) => {
      made++;
      const stateId = random.hex(8);
      return { accountId, stateId, data: "", timestamp: timestamp - random.below(1000) };
    });
    await hashesOf(counted);
    expect(made).toBe(1030);
    made = 0;
    const delta = { ...EVERYTHING, changedSince: snapshotTimestamp - 20 };
    const partitions = allPartitions(counted.shard).filter((partition) => partition >= 0);
    const accounts = [...new NodeAccounts(counted.state, partitions, new Set()).select(delta)];
    expect(made).toBe(accounts.length);
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(50);
  });

  it("is in order in the smallest partitions, including the last one", () => {
    const dense = makeNetwork(smallFixture({ nodes: 2000, accounts: 2000 * 30, globalAccounts: 0 }));
    const ids = [...dense.state.accounts(asPartition(1999))].map(({ accountId }) => accountId);
    expect(ids).toHaveLength(30);
    expect(ids).toEqual([...new Set(ids)].sort());
  });
});
