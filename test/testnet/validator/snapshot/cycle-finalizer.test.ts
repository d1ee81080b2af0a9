/** The work of a validator at the end of a cycle, with a real database and votes of other nodes. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { Collector } from "../../../../src/agreement/upstream/collector.ts";
import { PartitionGossip } from "../../../../src/agreement/upstream/partition-gossip.ts";
import { asCycle, asHashHex, asNodeId, asNodeIndex, asPartition } from "../../../../src/protocol/brands.ts";
import { networkHash, partitionHashes } from "../../../../src/protocol/partition-hash.ts";
import { allPartitions, coveringNodes, makeShard, storedPartitions } from "../../../../src/protocol/shard.ts";
import { agreementCyclesMax } from "../../../../src/testnet/limits.ts";
import { honestHooks } from "../../../../src/testnet/validator/fault-hooks.ts";
import { GossipRelay } from "../../../../src/testnet/validator/gossip/gossip-relay.ts";
import { makeVote } from "../../../../src/testnet/validator/gossip/vote.ts";
import { makeIdentity } from "../../../../src/testnet/validator/identity.ts";
import {
  agreedIn,
  CycleFinalizer,
  type CycleReport,
} from "../../../../src/testnet/validator/snapshot/cycle-finalizer.ts";
import { ExportStore } from "../../../../src/testnet/validator/snapshot/export-store.ts";
import { SnapshotExporter } from "../../../../src/testnet/validator/snapshot/snapshot-exporter.ts";
import type { StateDatabase } from "../../../../src/testnet/validator/state/state-database.ts";
import { asHashes } from "../../../helpers/brands.ts";
import { builtFile } from "../../../helpers/built.ts";
import { deadUrl } from "../../../helpers/servers.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import {
  endCycle,
  endOf,
  genesis,
  membershipOf,
  openState,
  shard,
  sharding,
  transfers,
} from "../small-state.ts";

const identities = [0, 1, 2, 3].map((index) =>
  makeIdentity(asNodeId(String(index).repeat(64)), Buffer.alloc(32, index + 1)),
);
const [self] = identities;
if (self === undefined) throw new Error("no identity");

const trueHashes = partitionHashes(genesis, shard);
const lie = "ab".repeat(32);

/** The vote of a node for the genesis state, with a different hash of one partition where that is given. */
function voteOf(index: number, cycle: number, liedPartition?: number): string {
  const stored = [-1, ...storedPartitions(shard, asNodeIndex(index))];
  const hashes = stored.map(
    (of) => [of, of === liedPartition ? lie : (trueHashes.get(asPartition(of)) ?? "")] as const,
  );
  const identity = identities[index];
  if (identity === undefined) throw new RangeError(`unknown node ${index}`);
  return JSON.stringify(makeVote(identity, asCycle(cycle), asHashes(new Map(hashes))));
}

async function setUp() {
  const directory = temporaryDirectory();
  const database = await openState(directory);
  const url = await deadUrl();
  const nodes = identities.map(({ id, publicKey }) => ({ id, publicKey, url }));
  const gossip = new PartitionGossip();
  const reports: CycleReport[] = [];
  const announced: unknown[] = [];
  const hooks = honestHooks();
  const onMessage = (cycle: number) => finalizer.messageAdmitted(asCycle(cycle));
  const membership = membershipOf(nodes);
  const relay = new GossipRelay({ membership, gossip, forwarded: () => [], onMessage });
  const exporter = new SnapshotExporter({
    entry: { path: builtFile("testnet/validator/snapshot/export-process.js"), arguments: [] },
    exportStore: await ExportStore.open(join(directory, "exports"), 1),
    report: () => undefined,
    serve: () => undefined,
  });
  const finalizer = new CycleFinalizer({
    identity: self ?? expect.unreachable(),
    membership,
    database,
    exchange: { gossip, relay, announce: (cycle, hash) => announced.push([cycle, hash]) },
    exporter,
    hooks,
    report: (report) => reports.push(report),
  });
  onTestFinished(async () => {
    await finalizer.stop();
    await relay.stop();
    await exporter.stop();
    database.close();
  });
  const finalize = (cycle: number) =>
    finalizer.cycleTxsFinalized({ cycle: asCycle(cycle), timestamp: endOf(cycle), isMarked: false });
  const voted = async (cycle: number) => {
    while (
      relay.messagesOf(asCycle(cycle)) === undefined ||
      !(relay.messagesOf(asCycle(cycle)) ?? []).some(isOwn)
    )
      await sleep(5);
  };
  return { database, membership, finalizer, relay, gossip, reports, announced, hooks, finalize, voted };
}

/** The rows of cycle 0 in the database. */
function kept({ path }: StateDatabase) {
  const database = new Database(path);
  const network = database.prepare("SELECT hash FROM network WHERE cycleNumber = 0").get([]);
  const rows = database.prepare("SELECT partitionId, hash FROM partitions WHERE cycleNumber = 0").all([]);
  database.close();
  return {
    network: (network as { hash: string } | undefined)?.hash,
    partitions: new Map(
      (rows as { partitionId: number; hash: string }[]).map((row) => [row.partitionId, row.hash]),
    ),
  };
}

const isOwn = (text: string) => text.includes(`"sender":"${self?.id}"`);

describe("a finalized cycle", () => {
  it("is hashed, gossiped, agreed on with votes that arrived before, saved and announced", async () => {
    const { database, relay, reports, announced, finalize, voted } = await setUp();
    for (const index of [1, 2, 3]) await relay.receive(voteOf(index, 0));
    finalize(0);
    await voted(0);
    expect(relay.messagesOf(asCycle(0))).toContain(voteOf(0, 0));
    const hash = networkHash(trueHashes);
    expect(reports).toEqual([{ type: "agreed", cycle: 0, networkHash: hash, weak: [] }]);
    expect(kept(database).partitions).toEqual(
      new Map(allPartitions(shard).map((of) => [of, trueHashes.get(of)])),
    );
    expect([kept(database).network, announced]).toEqual([hash, [[0, hash]]]);
  });

  it("is reported as a disagreement where the agreed hash differs from the own one", async () => {
    const { reports, database, relay, finalize, voted } = await setUp();
    database.commit({ transactions: transfers(5), progress: { ...database.progress, isBoundary: true } });
    finalize(0);
    await voted(0);
    for (const index of [1, 2, 3]) await relay.receive(voteOf(index, 0));
    expect(reports[0]).toMatchObject({ type: "agreed", networkHash: networkHash(trueHashes) });
    const disagreements = reports.filter(({ type }) => type === "disagreement");
    // The transfers went from partition 0 to an account of partition 3.
    expect(disagreements).toMatchObject([
      { partition: 0, agreed: trueHashes.get(asPartition(0)), votesFor: 2, outOf: 3 },
      { partition: 3, agreed: trueHashes.get(asPartition(3)), votesFor: 2, outOf: 3 },
    ]);
  });

  it("does not count votes of nodes for partitions that they do not cover", () => {
    const wide = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3 });
    const nodeIds = Array.from({ length: 9 }, (_, index) => index.toString(16).repeat(64));
    const [truth, falsehood] = ["a", "f"].map((digit) => digit.repeat(64)) as [string, string];
    const collector = new Collector({ ...wide, cycleNumber: 0, nodeIds });
    collector.process(
      nodeIds.map((sender, index) => {
        const covered = [-1, ...nodeIds.keys()].filter((of) =>
          coveringNodes(wide, asPartition(of)).includes(asNodeIndex(index)),
        );
        const hashes = covered.map((of) => [of, truth] as const);
        // Nodes 3 to 6 are four, and three cover partition 1.
        const lies = index >= 3 && index <= 6 ? [0, 1].map((of) => [of, falsehood] as const) : [];
        return { cycle: 0, data: { partitionHash: Object.fromEntries([...hashes, ...lies]) }, sender };
      }),
    );
    const all = collector.allHashes() ?? expect.unreachable();
    expect(agreedIn(all)).toEqual(new Map([-1, ...nodeIds.keys()].map((of) => [of, truth])));
    // The network's own tally differs (decision 1).
    expect(all.partitionHashes.get(asPartition(1))).toBe(falsehood);
  });

  it("waits for more votes while a false vote would decide, and then gets the right hash", async () => {
    const { reports, relay, database, finalize, voted } = await setUp();
    await relay.receive(voteOf(1, 0, 1));
    await relay.receive(voteOf(3, 0));
    finalize(0);
    await voted(0);
    expect([reports, kept(database).network]).toEqual([[], undefined]);
    await relay.receive(voteOf(2, 0));
    expect(reports).toMatchObject([{ type: "agreed", networkHash: networkHash(trueHashes), weak: [] }]);
  });

  it("is settled with the votes so far some cycles later, and its weak partitions are reported", async () => {
    const { reports, relay, database, finalize, voted } = await setUp();
    await relay.receive(voteOf(1, 0, 1));
    await relay.receive(voteOf(3, 0));
    finalize(0);
    await voted(0);
    endCycle(database, agreementCyclesMax);
    finalize(agreementCyclesMax);
    // Of two votes on partition 1 that differ, the smaller hash is the network's, by its rule.
    expect(reports).toMatchObject([
      { type: "agreed", cycle: 0, weak: [1] },
      { type: "disagreement", partition: 1, agreed: lie, votesFor: 1, outOf: 3 },
    ]);
  });

  it("is reported as not agreed where too few nodes have voted", async () => {
    const { reports, database, finalize, voted } = await setUp();
    finalize(0);
    await voted(0);
    endCycle(database, agreementCyclesMax);
    finalize(agreementCyclesMax);
    expect(reports).toEqual([{ type: "not-agreed", cycle: 0, messages: 1 }]);
  });

  it("is voted on once, also by a node that lies differently each time", async () => {
    const { database, relay, hooks, finalize, voted } = await setUp();
    let votes = 0;
    hooks.gossip.votes = [
      (hashes) => new Map(hashes).set(asPartition(-1), asHashHex(String(++votes).repeat(64))),
    ];
    finalize(0);
    await voted(0);
    const said = database.votesOf(asCycle(0));
    finalize(0);
    await sleep(100);
    expect([votes, database.votesOf(asCycle(0)), relay.messagesOf(asCycle(0))]).toEqual([1, said, said]);
  });

  it("is hashed and voted on by the geometry of its nodes", async () => {
    const { database, membership, relay, finalize, voted } = await setUp();
    const [, , , { id } = expect.unreachable()] = identities;
    membership.apply({ type: "node-removed", cycle: asCycle(1), id });
    endCycle(database, 1);
    finalize(1);
    await voted(1);
    const ofThree = makeShard({ numNodes: 3, ...sharding });
    const own = (relay.messagesOf(asCycle(1)) ?? []).find(isOwn) ?? "{}";
    const { data } = JSON.parse(own) as { data: { partitionHash: Record<string, string> } };
    expect(new Map(Object.entries(data.partitionHash).map(([of, hash]) => [Number(of), hash]))).toEqual(
      partitionHashes(genesis, ofThree),
    );
  });

  it("is not voted on by a validator that is not one of its nodes, which has then nothing left to do", async () => {
    const { database, membership, finalizer, relay, finalize, voted } = await setUp();
    finalize(0);
    expect(finalizer.isIdle).toBe(false);
    await voted(0);
    expect(finalizer.isIdle).toBe(false);
    membership.apply({ type: "node-removed", cycle: asCycle(1), id: self?.id ?? expect.unreachable() });
    for (const index of [1, 2, 3]) await relay.receive(voteOf(index, 0));
    expect(finalizer.isIdle).toBe(true);
    endCycle(database, 1);
    finalize(1);
    expect(finalizer.isIdle).toBe(true);
    expect(database.votesOf(asCycle(1))).toEqual([]);
  });

  it("fails where the database is not at its end", async () => {
    const { finalize } = await setUp();
    expect(() => finalize(7)).toThrow("the database is at the end of cycle 0, expected the end of cycle 7");
  });
});
