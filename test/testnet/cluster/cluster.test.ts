import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isGlobalAccount, type WrappedData } from "../../../src/protocol/account-copy.ts";
import { asNodeIndex, asPartition } from "../../../src/protocol/brands.ts";
import { isSignedBy } from "../../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../../src/protocol/cycle-record.ts";
import { networkHash, partitionHashes } from "../../../src/protocol/partition-hash.ts";
import { partitionOf, partitionRange, storedPartitions } from "../../../src/protocol/shard.ts";
import { type Cluster, startCluster } from "../../../src/testnet/cluster/cluster.ts";
import { hashesOf, makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { gossipOf, postSnapshot, smallFixture, snapshotOf, urlOf, votesOf } from "./small-cluster.ts";

const fixture = smallFixture();
const network = makeNetwork(fixture);
const hashes = await hashesOf(network);
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(fixture);
});
afterAll(() => cluster.stop());

async function json(url: string) {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

interface Row {
  id: string;
  ip: string;
  port: number | string;
  externalIp?: string;
  externalPort?: number;
  publicKey: string;
}

describe("the archiver", () => {
  it("lists the active nodes, unordered and signed", async () => {
    const list = await json(`${cluster.archiverUrl}/full-nodelist?activeOnly=true`);
    const rows = list["nodeList"] as Row[];
    const ids = rows.map(({ id }) => id);
    expect([...ids].sort()).toEqual(cluster.nodes.map(({ id }) => id));
    expect(ids).not.toEqual([...ids].sort());
    expect(isSignedBy(list)).toBe(true);
    expect((list["sign"] as { owner: string }).owner).toBe(cluster.archiverPublicKey);
  });

  it("lists the address of each node in every form of the protocol", async () => {
    const list = await json(`${cluster.archiverUrl}/full-nodelist`);
    const urls = (list["nodeList"] as Row[]).map(
      ({ ip, port, externalIp, externalPort }) => `http://${externalIp ?? ip}:${externalPort ?? port}`,
    );
    expect(urls.sort()).toEqual(cluster.nodes.map(({ url }) => url).sort());
  });

  it("lists the newest cycles first, chained, and no more than exist", async () => {
    const all = await json(`${cluster.archiverUrl}/cycleinfo/1000`);
    const records = all["cycleInfo"] as Record<string, unknown>[];
    expect(records.map((record) => record["counter"])).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(isSignedBy(all)).toBe(true);
    records.forEach((record, index) => {
      expect(record["marker"]).toBe(cycleMarker(record));
      const before = records[index + 1];
      if (before !== undefined) expect(record["previous"]).toBe(before["marker"]);
    });
    const two = await json(`${cluster.archiverUrl}/cycleinfo/2`);
    expect(two["cycleInfo"]).toEqual(records.slice(0, 2));
  });

  it("marks the snapshot's cycle, and names its network hash in a later one", async () => {
    const { cycleInfo } = await json(`${cluster.archiverUrl}/cycleinfo/12`);
    const records = cycleInfo as {
      counter: number;
      start: number;
      snapshot?: true;
      networkDataHash: unknown;
    }[];
    const marked = records.filter(({ snapshot }) => snapshot);
    expect(marked.map(({ start }) => start * 1000)).toEqual([cluster.snapshotTimestamp]);
    expect(marked.map(({ counter }) => counter)).toEqual([cluster.snapshotCycle + 1]);
    const later = records.find(({ counter }) => counter === cluster.snapshotCycle + 2);
    expect(later?.networkDataHash).toEqual([{ cycle: cluster.snapshotCycle, hash: networkHash(hashes) }]);
  });

  it("responds with 404 to other paths", async () => {
    for (const path of ["/", "/cycleinfo/x", "/cycleinfo"]) {
      expect((await fetch(cluster.archiverUrl + path)).status).toBe(404);
    }
    expect((await fetch(`${cluster.archiverUrl}/cycleinfo/0`)).status).toBe(400);
  });
});

describe("a validator's gossip", () => {
  it("contains a signed message of every node", async () => {
    const messages = await gossipOf(cluster, 0);
    expect(messages.map(({ sender }) => sender).sort()).toEqual(cluster.nodes.map(({ id }) => id));
    for (const message of messages) {
      const identity = network.identities.find(({ id }) => id === message.sender);
      expect(isSignedBy(message)).toBe(true);
      expect(message.sign.owner).toBe(identity?.publicKey);
      expect(message.cycle).toBe(cluster.snapshotCycle);
    }
  });

  it("contains the hashes of its stored partitions and of the global one", async () => {
    for (const message of await gossipOf(cluster, 3)) {
      const index = cluster.nodes.findIndex(({ id }) => id === message.sender);
      const partitions = [...storedPartitions(network.shard, asNodeIndex(index)), -1];
      const expected = Object.fromEntries(
        partitions.map((partition) => [partition, hashes.get(asPartition(partition))]),
      );
      expect(votesOf(message)).toEqual(expected);
    }
  });

  it("exists for the snapshot's cycle only", async () => {
    const gossip = `${urlOf(cluster, 0)}/partition-gossip`;
    expect((await fetch(`${gossip}?cycle=7`)).status).toBe(404);
    expect((await fetch(`${gossip}?cycle=x`)).status).toBe(400);
    expect((await fetch(gossip)).status).toBe(400);
  });
});

it("a validator states the network's settings", async () => {
  const { config } = await json(`${urlOf(cluster, 2)}/netconfig`);
  expect(config).toMatchObject({ sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 0 } });
});

describe("a validator's response to a snapshot request", () => {
  it("has every stored account, ascending, with the hashes of its gossip", async () => {
    const snapshot = await snapshotOf(cluster, 0);
    const ids = snapshot.map(({ accountId }) => accountId);
    expect(ids).toEqual([...ids].sort());
    const served = partitionHashes(snapshot, network.shard);
    for (const partition of [-1, 0, 1, 4])
      expect(served.get(asPartition(partition))).toBe(hashes.get(asPartition(partition)));
    expect(partitionsOf(snapshot)).toEqual([-1, 0, 1, 4]);
  });

  it("has the accounts of the requested range, including both ends", async () => {
    const all = (await snapshotOf(cluster, 0)).filter((account) => !isGlobalAccount(account));
    const [accountStart, accountEnd] = [all[3]?.accountId, all[9]?.accountId];
    const some = await snapshotOf(cluster, 0, { accountStart, accountEnd, isGlobal: false });
    expect(some).toEqual(all.slice(3, 10));
    const { low, high } = partitionRange(network.shard, asPartition(1));
    const partition = await snapshotOf(cluster, 0, { accountStart: low, accountEnd: high, isGlobal: false });
    expect(partitionsOf(partition)).toEqual([1]);
    expect(partitionHashes(partition, network.shard).get(asPartition(1))).toBe(hashes.get(asPartition(1)));
  });

  it("has only global accounts, none of them, or both kinds", async () => {
    const all = await snapshotOf(cluster, 0);
    expect(await snapshotOf(cluster, 0, { isGlobal: true })).toEqual(all.filter(isGlobalAccount));
    expect(await snapshotOf(cluster, 0, { isGlobal: false })).toEqual(all.filter((a) => !isGlobalAccount(a)));
  });

  it("is empty for a partition that it does not store", async () => {
    const { low, high } = partitionRange(network.shard, asPartition(2));
    expect(await snapshotOf(cluster, 0, { accountStart: low, accountEnd: high, isGlobal: false })).toEqual(
      [],
    );
  });

  it.each([
    { id: "not a boundary", fields: { timestamp: 1_700_000_540_001 }, status: 400 },
    { id: "before the end of the first cycle", fields: { timestamp: 1_700_000_000_000 }, status: 400 },
    { id: "a boundary whose snapshot is not held", fields: { timestamp: 1_700_000_480_000 }, status: 404 },
    { id: "not finalized", fields: { timestamp: 1_700_000_780_000 }, status: 425, retryAfter: "60" },
    { id: "a malformed field", fields: { accountStart: "0x00" }, status: 400 },
  ])("refuses: $id", async ({ fields, status, retryAfter }) => {
    const response = await postSnapshot(cluster, 0, fields);
    expect(response.status).toBe(status);
    expect(response.headers.get("Retry-After")).toBe(retryAfter ?? null);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });

  it("is 404 for another method or path", async () => {
    expect((await fetch(`${urlOf(cluster, 0)}/snapshot`)).status).toBe(404);
  });
});

it("a stopped cluster does not respond, and can be restarted with the same state", async () => {
  const first = await startCluster(fixture);
  const before = await snapshotOf(first, 4);
  await first.stop();
  await expect(fetch(first.archiverUrl)).rejects.toThrow();
  const second = await startCluster(fixture);
  expect(await snapshotOf(second, 4)).toEqual(before);
  expect(await gossipOf(second, 4)).toEqual(await gossipOf(cluster, 4));
  await second.stop();
});

it("a thousand validators start in one process", async () => {
  const changes = { nodes: 1000, nodesPerConsensusGroup: 5, nodesPerEdge: 2, accounts: 3000 };
  const large = await startCluster(smallFixture(changes));
  expect(await gossipOf(large, 999)).toHaveLength(1000);
  await large.stop();
});

function partitionsOf(accounts: readonly WrappedData[]): number[] {
  const partitions = accounts.map((account) =>
    isGlobalAccount(account) ? -1 : partitionOf(network.shard, account.accountId),
  );
  return [...new Set(partitions)].sort((a, b) => a - b);
}
