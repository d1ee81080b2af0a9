import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../src/testnet/cluster/cluster.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { withCluster } from "../../testnet/cluster/small-cluster.ts";
import { assembleFrom, failureOf } from "../run.ts";

/** State metadata (PROTOCOL.md, Partition gossip) of the cluster's snapshot, with one thing changed. */
function metadataFile(cluster: Cluster, changes: object = {}): string {
  const { snapshotCycle: counter, networkHash } = cluster;
  const statement = { counter, partitionHashes: {}, networkHash, ...changes };
  const path = join(temporaryDirectory(), "metadata.json");
  writeFileSync(
    path,
    JSON.stringify({ counter, stateHashes: [statement], receiptHashes: [], summaryHashes: [] }),
  );
  return path;
}

describe("the cycle chain as a witness", () => {
  it("permits a snapshot that a later record confirms, if that is required", async () => {
    await withCluster({}, async (cluster) => {
      const { networkHash } = await assembleFrom(cluster, { requireChain: true });
      expect(networkHash).toBe(cluster.networkHash);
    });
  });

  it("is a temporary failure if it is required and names no network hash yet", async () => {
    // The record that names the network hash of cycle 8 would be that of cycle 10.
    await withCluster({ cycles: 10 }, async (cluster) => {
      const failure = await failureOf(assembleFrom(cluster, { requireChain: true }));
      expect(failure.code).toBe("temporary");
      expect(failure.message).toContain("no cycle record names the network hash of cycle 8 yet");
      expect((await assembleFrom(cluster)).networkHash).toBe(cluster.networkHash);
    });
  });
});

describe("state metadata as a witness", () => {
  it("permits a snapshot that it agrees with", async () => {
    await withCluster({}, async (cluster) => {
      const { warnings } = await assembleFrom(cluster, { stateMetadata: metadataFile(cluster) });
      expect(warnings).toEqual([]);
    });
  });

  it.each([
    { id: "the network hash", changes: { networkHash: "e".repeat(64) }, says: "the network hash is eee" },
    {
      id: "a partition",
      changes: { partitionHashes: { 2: "e".repeat(64) } },
      says: "partition 2 has the hash eee",
    },
  ])("stops a snapshot if it disagrees on $id", async ({ changes, says }) => {
    await withCluster({}, async (cluster) => {
      const failure = await failureOf(
        assembleFrom(cluster, { stateMetadata: metadataFile(cluster, changes) }),
      );
      expect(failure.code).toBe("verification");
      expect(failure.message).toContain(says);
    });
  });

  it("is a warning if it states nothing about the cycle", async () => {
    await withCluster({}, async (cluster) => {
      const stateMetadata = metadataFile(cluster, { counter: 7 });
      const { warnings } = await assembleFrom(cluster, { stateMetadata });
      expect(warnings).toEqual([expect.stringContaining("states nothing about cycle 8")]);
    });
  });

  it("is a temporary failure if its URL returns none", async () => {
    await withCluster({}, async (cluster) => {
      const stateMetadata = `${cluster.archiverUrl}/no-such-thing`;
      const failure = await failureOf(assembleFrom(cluster, { stateMetadata }));
      expect(failure).toMatchObject({ code: "temporary", message: expect.stringContaining(stateMetadata) });
    });
  });
});

describe("a network in which every partition has the hash of an empty list", () => {
  const empty = { accountCopies: false };

  it("counts as a network that keeps no copies, and is refused", async () => {
    await withCluster(empty, async (cluster) => {
      const failure = await failureOf(assembleFrom(cluster));
      expect(failure.code).toBe("no-agreement");
      expect(failure.message).toContain("keeps no account copies");
    });
  });

  it("is published as empty only with allowEmpty", async () => {
    await withCluster(empty, async (cluster) => {
      const { accounts, partitions, queries } = await assembleFrom(cluster, { allowEmpty: true });
      expect({ accounts, partitions, queries }).toEqual({
        accounts: 0,
        partitions: { total: 6, verified: 6 },
        queries: [],
      });
    });
  });
});
