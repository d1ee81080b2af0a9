/** Runs with a hash database read its messages and records, and add to them. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planAssembly } from "../../src/app/plan.ts";
import type { AssembleEvent } from "../../src/events/assemble-events.ts";
import { asCycle, asHashHex, asPartition } from "../../src/protocol/brands.ts";
import { isSignedBy } from "../../src/protocol/crypto/signature.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { hashesOf, makeNetwork } from "../../src/testnet/cluster/network.ts";
import { makeVote } from "../../src/testnet/validator/gossip/vote.ts";
import { inDatabase } from "../collect/running-collector.ts";
import { asHashes } from "../helpers/brands.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, failureOf } from "./run.ts";

const network = makeNetwork(smallFixture());
const hashes = await hashesOf(network);
const expected = await published(smallFixture());
const newPath = () => join(temporaryDirectory(), "hashes.sqlite");
const idOf = (index: number) => network.identities[index]?.id ?? "";

/** Runs against the small cluster with some faults, and returns the events and the result. */
async function run(hashDb: string, faults: readonly string[] = []) {
  const events: AssembleEvent[] = [];
  const reporter = { report: (event: AssembleEvent) => void events.push(event) };
  const result = await withCluster({ faults }, (cluster) =>
    assembleFrom(cluster, { hashDb, reporter, concurrency: 1 }),
  );
  const stages = events.flatMap((event) => (event.type === "stage" ? [event.message] : []));
  return { result, stages, queried: result.queries.map(({ node }) => node) };
}

describe("a hash database", () => {
  it("stores the gossip of a run, which suffices for the next run", async () => {
    const hashDb = newPath();
    await run(hashDb);
    inDatabase(hashDb, (database) => {
      expect(database.messageCount(asCycle(8))).toBe(5);
      expect(database.partitionHashes(asCycle(8))).toEqual(hashes);
      expect(database.networkHash(asCycle(8))).toBe(expected.networkHash);
      expect(database.offences()).toEqual([]);
    });
    const { result, stages } = await run(hashDb, ["*:no-gossip"]);
    expect(result).toMatchObject({ ...expected, warnings: [] });
    expect(stages).toContain(`5 messages of cycle 8 are in ${hashDb}`);
  });

  it("is not trusted: messages with an invalid signature do not count", async () => {
    const hashDb = newPath();
    const database = HashDatabase.open(hashDb);
    for (const [index, identity] of network.identities.entries()) {
      const forger = network.identities[(index + 1) % 5] ?? identity;
      const lies = new Map([...hashes].map(([partition]) => [partition, "ee".repeat(32)]));
      const vote = makeVote({ ...forger, id: identity.id }, asCycle(8), asHashes(lies));
      database.saveMessages(
        [
          {
            cycle: asCycle(8),
            sender: identity.id,
            hash: asHashHex(vote.sign.sig.slice(128)),
            text: JSON.stringify(vote),
          },
        ],
        1,
      );
    }
    database.close();
    const { result } = await run(hashDb);
    expect(result).toMatchObject(expected);
    const [useless, ...replaced] = result.warnings;
    expect(useless).toContain("5 messages do not count");
    expect(replaced).toHaveLength(5);
    for (const warning of replaced) expect(warning).toContain("its signature is invalid");
    expect(result.offences).toEqual([]);
  });

  it("records accounts that contradict the sender's own vote, with the proof", async () => {
    const hashDb = newPath();
    const { result } = await run(hashDb, ["0:corrupt-data=1"]);
    const mismatches = result.offences.filter(({ kind }) => kind === "wrong-partition");
    expect(mismatches).toMatchObject([{ node: idOf(0), partition: 1 }]);
    const [offence, ...others] = inDatabase(hashDb, (database) => database.offences());
    expect(others).toEqual([]);
    expect(offence).toMatchObject({ node: idOf(0), kind: "contradicts-own-vote", cycle: 8, partition: 1 });
    const { messages, sentHash } = offence?.evidence ?? { messages: [] };
    const [message] = messages as { sender: string; data: { partitionHash: Record<string, string> } }[];
    expect(isSignedBy(message)).toBe(true);
    expect(message?.sender).toBe(idOf(0));
    expect(message?.data.partitionHash["1"]).toBe(hashes.get(asPartition(1)));
    expect(mismatches[0]?.detail).toContain(`got ${sentHash} of`);
  });

  // One liar per run: two would be the majority of the three nodes that vote on a partition.
  it.each([
    { fault: "3:lie-gossip", node: 3, kind: "dissenting-vote", signed: 1 },
    { fault: "1:equivocate", node: 1, kind: "equivocation", signed: 2 },
  ])("keeps an offence with its signed evidence: $kind", async ({ fault, node, kind, signed }) => {
    const hashDb = newPath();
    await run(hashDb, [fault]);
    const offences = inDatabase(hashDb, (database) => database.offences());
    const ofKind = offences.filter((offence) => offence.kind === kind);
    expect(ofKind.map(({ evidence, ...offence }) => [offence.node, evidence?.messages.length])).toEqual([
      [idOf(node), signed],
    ]);
    expect(new Set(offences.map((offence) => offence.node))).toEqual(new Set([idOf(node)]));
    for (const { evidence } of offences) {
      for (const message of evidence?.messages ?? []) expect(isSignedBy(message)).toBe(true);
    }
  });
});

describe("a node with a bad record", () => {
  it("is requested last, which the run reports", async () => {
    const hashDb = newPath();
    const first = await run(hashDb, ["0:corrupt-data"]);
    expect(first.queried[0]).toBe(idOf(0));
    const second = await run(hashDb);
    expect(second.result).toMatchObject(expected);
    expect(second.queried).not.toContain(idOf(0));
    expect(second.stages).toContainEqual(
      expect.stringMatching(/^requesting last, because of their record: \w{8} \(contradicts-own-vote\)$/),
    );
  });

  it("is later in the plan, and still part of it", async () => {
    const hashDb = newPath();
    await run(hashDb, ["0:corrupt-data"]);
    await withCluster({}, async ({ archiverUrl: archiver }) => {
      const settings = { archiver, nodesPerConsensusGroup: 3, nodesPerEdge: 0 };
      const { order } = await planAssembly(settings);
      const later = await planAssembly({ ...settings, hashDb });
      expect(order[0]).toBe(idOf(0));
      expect(later.order).toEqual([...order.slice(1), idOf(0)]);
      expect(later.queries.flatMap(({ partitions }) => partitions)).toHaveLength(6);
    });
  });

  it("is requested if no other node has a partition", async () => {
    const hashDb = newPath();
    await run(hashDb, ["0:corrupt-data"]);
    // Partition 0 is stored by nodes 4, 0 and 1; the database has the gossip of all.
    const { result, queried } = await run(hashDb, ["4:no-snapshot", "1:no-snapshot"]);
    expect(result).toMatchObject(expected);
    expect(queried).toContain(idOf(0));
  });
});

it("a database of another network ends the run, and is not changed", async () => {
  const hashDb = newPath();
  const database = HashDatabase.open(hashDb);
  database.claim({ networkId: "other", hashKey: "ab".repeat(32) });
  database.close();
  await withCluster({}, async (cluster) => {
    const failure = await failureOf(assembleFrom(cluster, { hashDb }));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("belongs to another network"),
    });
  });
  expect(inDatabase(hashDb, (left) => left.counts().messages)).toBe(0);
});
