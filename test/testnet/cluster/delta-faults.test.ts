/** The deltas of a validator of a newer cluster, and each fault in them. The table below has an entry for every one. */

import { describe, expect, it } from "vitest";
import { isGlobalAccount, type WrappedData } from "../../../src/protocol/account-copy.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { partitionOf, partitionRange } from "../../../src/protocol/shard.ts";
import { type Cluster, startCluster } from "../../../src/testnet/cluster/cluster.ts";
import { olderFixture } from "../../../src/testnet/cluster/fixture.ts";
import { makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { deltaFaults } from "../../../src/testnet/faults/delta-faults.ts";
import { byId } from "../../helpers/accounts.ts";
import { postSnapshot, smallFixture, snapshotOf, withCluster } from "./small-cluster.ts";

const changes = {
  accounts: 500,
  globalAccounts: 20,
  changes: { sinceCycle: 6, seed: "later", changed: 0.1, created: 0.02, deleted: 0.02 },
};
const { state, shard } = makeNetwork(smallFixture(changes));
const older = makeNetwork(olderFixture(smallFixture(changes)));
const changedSince = older.snapshotTimestamp - 8000;

/** The accounts of node 0, which stores the partitions 4, 0 and 1, and those of them that changed. */
const whole = [-1, 0, 1, 4].flatMap((partition) => [...state.accounts(asPartition(partition))]).sort(byId);
const delta = whole.filter(({ timestamp }) => timestamp >= changedSince);
const before = new Map(
  [-1, 0, 1, 2, 3, 4].flatMap((partition) =>
    Array.from(
      older.state.accounts(asPartition(partition)),
      (account) => [account.accountId, account] as const,
    ),
  ),
);

function deltaOf(cluster: Cluster, fields: object = {}): Promise<WrappedData[]> {
  return snapshotOf(cluster, 0, { changedSince, ...fields });
}

function partitionOfAccount(account: WrappedData): number {
  return isGlobalAccount(account) ? -1 : partitionOf(shard, account.accountId);
}

/** The first account of each partition in a list. */
function firsts(accounts: readonly WrappedData[]): string[] {
  const seen = new Set<number>();
  return accounts
    .filter((account) => !seen.has(partitionOfAccount(account)) && seen.add(partitionOfAccount(account)))
    .map(({ accountId }) => accountId);
}

/** The accounts of a list that are not those of the state. */
function falseIn(accounts: readonly WrappedData[]): string[] {
  const right = new Map(whole.map((account) => [account.accountId, JSON.stringify(account)]));
  return accounts
    .filter((account) => right.get(account.accountId) !== JSON.stringify(account))
    .map(({ accountId }) => accountId);
}

async function everythingElseIsHonest(cluster: Cluster): Promise<void> {
  expect(await snapshotOf(cluster, 0)).toEqual(whole);
}

const behaviours: Record<string, (cluster: Cluster) => Promise<void>> = {
  "no-delta": async (cluster) => {
    expect(await deltaOf(cluster)).toEqual(whole);
    const { low, high } = partitionRange(shard, asPartition(1));
    const range = { accountStart: low, accountEnd: high, isGlobal: false };
    expect(await deltaOf(cluster, range)).toEqual(await snapshotOf(cluster, 0, range));
  },
  "no-range": async (cluster) => {
    const { low, high } = partitionRange(shard, asPartition(1));
    expect(await deltaOf(cluster, { accountStart: low, accountEnd: high, isGlobal: false })).toEqual(whole);
  },
  "omit-changes": async (cluster) => {
    const omitted = firsts(delta);
    expect(omitted).toHaveLength(4);
    expect(await deltaOf(cluster)).toEqual(delta.filter(({ accountId }) => !omitted.includes(accountId)));
  },
  "omit-changes=4": async (cluster) => {
    const sent = new Set((await deltaOf(cluster)).map(({ accountId }) => accountId));
    const omitted = delta.filter(({ accountId }) => !sent.has(accountId));
    expect(omitted.map(partitionOfAccount)).toEqual([4]);
  },
  "empty-delta": async (cluster) => {
    expect(await deltaOf(cluster)).toEqual([]);
  },
  "false-delta": async (cluster) => {
    const sent = await deltaOf(cluster);
    expect(sent.map(({ accountId }) => accountId)).toEqual(delta.map(({ accountId }) => accountId));
    expect(falseIn(sent)).toEqual(firsts(delta));
  },
  "false-delta=-1": async (cluster) => {
    expect(falseIn(await deltaOf(cluster))).toEqual(firsts(delta.filter(isGlobalAccount)));
  },
  "whole-delta": async (cluster) => {
    const sent = await deltaOf(cluster);
    expect(sent.map(({ accountId }) => accountId)).toEqual(whole.map(({ accountId }) => accountId));
    expect(falseIn(sent)).toEqual(firsts(whole));
  },
  "whole-delta=0": async (cluster) => {
    const sent = await deltaOf(cluster);
    expect(sent).toHaveLength(whole.length);
    expect(falseIn(sent)).toHaveLength(1);
  },
  "stale-delta": async (cluster) => {
    const sent = await deltaOf(cluster);
    const versions = delta.flatMap(({ accountId }) => before.get(accountId) ?? []);
    expect(versions.length).toBeGreaterThan(10);
    expect(versions.length).toBeLessThan(delta.length); // created accounts have no earlier version
    expect(sent).toEqual(versions);
  },
};

describe("a validator with the fault", () => {
  it.each(Object.entries(behaviours))(
    "%s sends other deltas than an honest one",
    async (fault, behaviour) => {
      await withCluster({ ...changes, faults: [`0:${fault}`] }, async (cluster) => {
        await behaviour(cluster);
        await everythingElseIsHonest(cluster);
      });
    },
  );

  it("in deltas has a case here, whatever its kind", () => {
    const tried = Object.keys(behaviours).map((fault) => fault.split("=")[0]);
    expect(deltaFaults.map(({ name }) => name).filter((name) => !tried.includes(name))).toEqual([]);
  });

  it("stale-delta invents earlier versions where the cluster has no earlier state", async () => {
    const plain = smallFixture({ faults: ["0:stale-delta"] });
    const cluster = await startCluster(plain);
    try {
      const [honest, sent] = await Promise.all(
        [0, 1].map((at) => snapshotOf(cluster, 0, at ? { changedSince: 0 } : {})),
      );
      expect(sent?.map(({ timestamp }) => timestamp)).toEqual(
        honest?.map(({ timestamp }) => timestamp - plain.cycleDuration * 1000),
      );
      expect(
        sent?.every(({ data }, index) => JSON.stringify(data) !== JSON.stringify(honest?.[index]?.data)),
      ).toBe(true);
    } finally {
      await cluster.stop();
    }
  });
});

describe("an honest validator", () => {
  it("sends the accounts that changed, in ascending order, by range and by kind", async () => {
    await withCluster(changes, async (cluster) => {
      expect(await deltaOf(cluster)).toEqual(delta);
      expect(await deltaOf(cluster, { isGlobal: true })).toEqual(delta.filter(isGlobalAccount));
      const { low, high } = partitionRange(shard, asPartition(1));
      const range = { accountStart: low, accountEnd: high, isGlobal: false };
      expect(await deltaOf(cluster, range)).toEqual(
        delta.filter((account) => partitionOfAccount(account) === 1),
      );
    });
  });

  it("includes the accounts of the requested moment, and excludes those before it", async () => {
    const moment = delta[3]?.timestamp ?? 0;
    await withCluster(changes, async (cluster) => {
      for (const since of [moment, moment + 1]) {
        const sent = await deltaOf(cluster, { changedSince: since });
        expect(sent).toEqual(whole.filter(({ timestamp }) => timestamp >= since));
      }
    });
  });

  it("that lies about a partition sends its false account in a delta too, where the delta contains it", async () => {
    await withCluster({ ...changes, faults: ["0:lie=0"] }, async (cluster) => {
      const [first] = state.accounts(asPartition(0));
      expect(falseIn(await deltaOf(cluster, { changedSince: first?.timestamp ?? 0 }))).toEqual([
        first?.accountId,
      ]);
      const without = await deltaOf(cluster, { changedSince: (first?.timestamp ?? 0) + 1 });
      expect(falseIn(without)).toEqual([]);
      expect(without.length).toBeGreaterThan(0);
    });
  });

  it.each([{ changedSince: "0" }, { changedSince: 0.5 }, { changedSince: -1 }, { changedSince: null }])(
    "rejects $changedSince as a moment with 400",
    async (fields) => {
      await withCluster({}, async (cluster) => {
        const response = await postSnapshot(cluster, 0, fields);
        expect(response.status).toBe(400);
        expect(await response.json()).toEqual({ error: expect.stringMatching(/^changedSince: /) });
      });
    },
  );
});
