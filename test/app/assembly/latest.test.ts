import { readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AssembleOptions } from "../../../src/app/assembly/options.ts";
import { asCycle, asHashHex, asNodeId, asNodeIndex } from "../../../src/protocol/brands.ts";
import { allPartitions, GLOBAL_PARTITION, storedPartitions } from "../../../src/protocol/shard.ts";
import { makeArchiverServer } from "../../../src/testnet/cluster/archiver-server.ts";
import type { Cluster } from "../../../src/testnet/cluster/cluster.ts";
import { makeCycleChain } from "../../../src/testnet/cluster/cycle-records.ts";
import { makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { Random } from "../../../src/testnet/state/random.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { makeIdentity } from "../../../src/testnet/validator/identity.ts";
import { asHashes } from "../../helpers/brands.ts";
import { httpServer } from "../../helpers/servers.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { published } from "../../testnet/cluster/published.ts";
import { smallFixture, urlOf, withCluster } from "../../testnet/cluster/small-cluster.ts";
import { assembleFrom, failureOf, filesIn } from "../run.ts";

/** Five nodes; the cluster has the gossip and the state of cycle 8, and the newest record is that of cycle 9. */
const fixture = smallFixture();
const network = makeNetwork(fixture);
const older = 8;
const newest = 9;
const expected = await published(fixture);

/** The messages of some nodes for the newest cycle, with equal or with different hashes. */
function votes(count: number, opinion: "the same" | "their own" = "the same"): string[] {
  return network.identities.slice(0, count).map((identity, index) => {
    const random = Random.named("newest cycle", opinion === "the same" ? 0 : index);
    const hashes = new Map(allPartitions(network.shard).map((partition) => [partition, random.hex(8)]));
    const stored = [GLOBAL_PARTITION, ...storedPartitions(network.shard, asNodeIndex(index))];
    const own = stored.map((partition) => [partition, hashes.get(partition) ?? ""] as const);
    return JSON.stringify(makeVote(identity, asCycle(newest), asHashes(new Map(own))));
  });
}

/** The cluster's nodes with additional gossip of the newest cycle, and an archiver that marks no record. */
async function frontOf(cluster: Cluster, messages: readonly string[]): Promise<Partial<AssembleOptions>> {
  const rows = network.identities.map(async ({ id, publicKey }, index) => {
    const url = await httpServer((request, response) => {
      const isNewest = request.url === `/partition-gossip?cycle=${newest}`;
      if (isNewest && messages.length > 0) response.end(`{"messages":[${messages.join()}]}`);
      else passOn(request, response, urlOf(cluster, index)).catch(() => response.destroy());
    });
    const { hostname, port } = new URL(url);
    return { id, ip: hostname, port: Number(port), publicKey };
  });
  const cycles = makeCycleChain({
    seed: fixture.seed,
    cycles: newest + 1,
    cycleDuration: fixture.cycleDuration,
    activeNodes: fixture.nodes,
    // No record of the chain is marked, or names a hash of these cycles.
    snapshotCycle: asCycle(newest + 10),
    networkHash: asHashHex("0".repeat(64)),
  });
  const identity = makeIdentity(asNodeId("a".repeat(64)), Buffer.alloc(32, 1));
  const list = await Promise.all(rows);
  const archiver = makeArchiverServer({ identity, nodeList: () => list, cycles: () => cycles });
  onTestFinished(() => archiver.close());
  const { nodesPerConsensusGroup, nodesPerEdge } = fixture;
  const sharding = { nodesPerConsensusGroup, nodesPerEdge };
  return { archiver: await archiver.listen("127.0.0.1"), archiverKey: identity.publicKey, ...sharding };
}

async function passOn(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
  const { method = "GET" } = request;
  const body = method === "POST" ? { body: await buffer(request) } : {};
  const forwarded = await fetch(`${url}${request.url}`, { method, ...body });
  response.writeHead(forwarded.status).end(Buffer.from(await forwarded.arrayBuffer()));
}

describe("the latest snapshot", () => {
  it.each([
    { id: "no node has voted", messages: [] },
    { id: "one node has voted", messages: votes(1) },
    { id: "two of five nodes have voted", messages: votes(2) },
  ])("is that of the cycle before, with a warning, if $id on the newest one", async ({ messages }) => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const front = await frontOf(cluster, messages);
      const anyAge = Number.POSITIVE_INFINITY;
      const result = await assembleFrom(cluster, { ...front, out, timestamp: "latest", maxAgeMs: anyAge });
      expect(result).toMatchObject({ ...expected, cycle: older, timestamp: cluster.snapshotTimestamp });
      expect(result.warnings).toEqual([expect.stringContaining(`no agreed hash for cycle ${newest}`)]);
      expect(result.offences).toEqual([]);
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
      // Messages of the newest cycle are not evidence for the older one.
      const gossip = String(filesIn(result.directory).get(join("evidence", "gossip.jsonl")));
      const cycles = gossip.trimEnd().split("\n");
      expect(new Set(cycles.map((line) => (JSON.parse(line) as { cycle: number }).cycle))).toEqual(
        new Set([older]),
      );
    });
  });

  it("is not an older one if the votes on the newest cycle contradict each other", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const front = await frontOf(cluster, votes(5, "their own"));
      const failure = await failureOf(assembleFrom(cluster, { ...front, out, timestamp: "latest" }));
      expect(failure.code).toBe("no-agreement");
      expect(failure.message).toContain(`cycle ${newest}`);
      expect(readdirSync(out)).toEqual([]);
    });
  });

  it("is an older one if the newest cycle is agreed on and no node holds it", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const front = await frontOf(cluster, votes(5));
      const result = await assembleFrom(cluster, { ...front, out, timestamp: "latest" });
      expect(result).toMatchObject({ ...expected, cycle: older, timestamp: cluster.snapshotTimestamp });
      expect(result.warnings).toEqual([
        expect.stringContaining("the snapshot is gone"),
        expect.stringContaining("days ago"),
      ]);
      expect(result.offences).toEqual([]);
    });
  });
});

describe("a snapshot with an explicit cycle or time", () => {
  const end = (cluster: Cluster) => cluster.snapshotTimestamp + fixture.cycleDuration * 1000;

  it.each([
    { id: "cycle", timestampOf: () => `cycle:${newest}` },
    { id: "moment", timestampOf: (cluster: Cluster) => end(cluster) },
  ])("is not replaced with an older one ($id)", async ({ timestampOf }) => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const front = await frontOf(cluster, votes(2));
      const timestamp = timestampOf(cluster);
      const failure = await failureOf(assembleFrom(cluster, { ...front, out, timestamp }));
      expect(failure.code).toBe("no-agreement");
      expect(failure.message).toContain(`no agreed hash for cycle ${newest}`);
      expect(readdirSync(out)).toEqual([]);
    });
  });

  it("is published if enough votes exist", async () => {
    await withCluster({}, async (cluster) => {
      const front = await frontOf(cluster, votes(2));
      const result = await assembleFrom(cluster, { ...front, timestamp: `cycle:${older}` });
      expect(result).toMatchObject({ ...expected, cycle: older, warnings: [] });
    });
  });
});
