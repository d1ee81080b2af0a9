import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../src/app/collect.ts";
import { asCycle, asHashHex, asNodeId } from "../../src/protocol/brands.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { failureOf } from "../app/run.ts";
import { deadUrl, httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { collectOptions, inDatabase, startCollector } from "./running-collector.ts";
import { identities, testNetwork, trueNetworkHash, voteOf, votesOf } from "./test-network.ts";

const idOf = (index: number) => identities[index]?.id ?? "";

describe("a collector's responses", () => {
  it("are every message of a cycle as received, contradicting ones included", async () => {
    const collector = await startCollector(await testNetwork());
    const messages = [...votesOf(20), voteOf(1, 20, { 0: "ee".repeat(32) })];
    for (const message of messages) await collector.post(message);
    const { status, body } = await collector.get("/partition-gossip?cycle=20");
    expect(status).toBe(200);
    const received = body["messages"] as object[];
    expect(received).toHaveLength(6);
    expect(received).toEqual(expect.arrayContaining(messages));
  });

  it("are 404 for a cycle without a message, and 400 for a value that is not a cycle", async () => {
    const collector = await startCollector(await testNetwork());
    expect(await collector.get("/partition-gossip?cycle=19")).toEqual({
      status: 404,
      body: { error: "no gossip for cycle 19" },
    });
    for (const query of ["", "?cycle=", "?cycle=x", "?cycle=-1", "?cycle=1e3"]) {
      expect((await collector.get(`/partition-gossip${query}`)).status, query).toBe(400);
    }
    expect((await collector.get("/snapshot")).status).toBe(404);
  });

  it("report its health", async () => {
    const collector = await startCollector(await testNetwork());
    await collector.post({ messages: votesOf(19) });
    await collector.post("x");
    expect(await collector.get("/healthz")).toEqual({
      status: 200,
      body: {
        ok: true,
        newestCycle: 20,
        cycles: { first: 19, last: 19, agreed: 1 },
        messages: 5,
        nodes: 5,
        pushed: { stored: 5, known: 0, refused: 1 },
        lastPoll: expect.stringMatching(/^\d{4}-.*Z$/),
        lastError: null,
      },
    });
  });
});

describe("a cycle that was not pushed", () => {
  it("is polled from several nodes until its hashes are agreed", async () => {
    const network = await testNetwork();
    const [first, second] = [votesOf(18).slice(0, 2), votesOf(18).slice(2)];
    network.gossip.set(0, (cycle) => (cycle === 18 ? first : undefined));
    network.gossip.set(3, (cycle) => (cycle === 18 ? second : undefined));
    const collector = await startCollector(network);
    expect(await collector.until("agreed")).toMatchObject({ cycle: 18, networkHash: trueNetworkHash });
    expect(inDatabase(collector.database, (database) => database.messageCount(asCycle(18)))).toBe(5);
  });

  it("has forged messages rejected, and their relay recorded with an offence", async () => {
    const network = await testNetwork();
    const forged = { ...voteOf(0, 18), sender: idOf(1) };
    network.gossip.set(2, (cycle) => (cycle === 18 ? [...votesOf(18).slice(0, 2), forged] : undefined));
    const collector = await startCollector(network);
    const { offence } = await collector.until("offence");
    expect(offence).toMatchObject({ node: idOf(2), kind: "invalid-gossip" });
    inDatabase(collector.database, (database) => {
      expect(database.messageCount(asCycle(18))).toBe(2);
      expect(database.offences()).toMatchObject([{ node: idOf(2), kind: "invalid-gossip", cycle: 18 }]);
    });
  });

  it("is polled again if validators have it only later", async () => {
    const network = await testNetwork();
    // A round of polls may take as long as the pause between rounds.
    const collector = await startCollector(network, { pollMs: 500 });
    for (const index of [0, 1, 2, 3, 4]) network.gossip.set(index, (cycle) => votesOf(cycle));
    expect(await collector.until("agreed", ({ cycle }) => cycle === 20)).toMatchObject({
      networkHash: trueNetworkHash,
    });
  });
});

describe("a network that a collector follows", () => {
  it("has messages of its next cycle accepted at once, and counted when its nodes are known", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    expect(await collector.post({ messages: votesOf(21) })).toMatchObject({
      status: 202,
      body: { stored: 5 },
    });
    expect(inDatabase(collector.database, (database) => database.networkHash(asCycle(21)))).toBeUndefined();
    network.newestCycle = 21;
    expect(await collector.until("agreed")).toMatchObject({ cycle: 21, networkHash: trueNetworkHash });
  });

  it("has the votes of new nodes counted for the cycles in which they are active", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    expect(await collector.post(voteOf(5, 20))).toMatchObject({ status: 403 });
    network.active = [0, 1, 2, 3, 4, 5];
    network.newestCycle = 21;
    await collector.until("network", ({ nodes }) => nodes === 6);
    expect(await collector.post(voteOf(5, 21))).toMatchObject({ status: 202 });
    expect(await collector.post(voteOf(5, 20))).toMatchObject({ status: 403 });
  });

  it("is reported again when the node list follows the records of a cycle", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    network.newestCycle = 21;
    await collector.until("network", ({ newestCycle, nodes }) => newestCycle === 21 && nodes === 5);
    network.active = [0, 1, 2, 3, 4, 5];
    await collector.until("network", ({ newestCycle, nodes }) => newestCycle === 21 && nodes === 6);
  });

  it("is followed again when the archiver returns, and messages are accepted meanwhile", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    network.isDown = true;
    await collector.until("warning", ({ message }) => message.includes("the archiver's response"));
    expect(await collector.post(voteOf(0, 20))).toMatchObject({ status: 202 });
    const { body } = await collector.get("/healthz");
    expect(body).toMatchObject({
      ok: false,
      lastError: { message: expect.stringContaining("the archiver's response") },
    });
    network.isDown = false;
    network.newestCycle = 21;
    await collector.until("network", ({ newestCycle }) => newestCycle === 21);
    expect(await collector.stop()).toMatchObject({ ok: true });
  });

  it("is not replaced by another one that the archiver switches to", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    network.networkId = "other";
    network.newestCycle = 500;
    await collector.until("warning", ({ message }) => /network other instead of test/.test(message));
    expect(await collector.post(voteOf(0, 20))).toMatchObject({ status: 202 });
  });

  it("is forgotten beyond the number of cycles to keep", async () => {
    const network = await testNetwork();
    const collector = await startCollector(network, { keep: { cycles: 3 }, pollMs: 20 });
    for (const cycle of [18, 19, 20, 21]) await collector.post({ messages: votesOf(cycle) });
    network.newestCycle = 21;
    await collector.until("agreed", ({ cycle }) => cycle === 21);
    network.newestCycle = 22;
    await collector.until("network", ({ newestCycle }) => newestCycle === 22);
    inDatabase(collector.database, (database) => {
      expect(database.counts()).toEqual({ messages: 15, firstCycle: 19, lastCycle: 21, agreedCycles: 3 });
      expect(database.partitionHashes(asCycle(18)).size).toBe(0);
    });
    expect(await collector.post(voteOf(0, 19))).toMatchObject({ status: 400 });
  });
});

describe("a restarted collector", () => {
  it("keeps the messages that it knows, and their count", async () => {
    const network = await testNetwork();
    const before = await startCollector(network);
    for (const index of [0, 1]) await before.post(voteOf(index, 20));
    await before.stop();
    const after = await startCollector(network, { database: before.database });
    expect(await after.post({ messages: votesOf(20) })).toMatchObject({
      status: 202,
      body: { stored: 3, known: 2 },
    });
    expect(await after.until("agreed")).toMatchObject({ cycle: 20, networkHash: trueNetworkHash });
  });

  it("finds what another process has added meanwhile, a contradiction included", async () => {
    const collector = await startCollector(await testNetwork());
    const [first, second] = [voteOf(0, 20), voteOf(0, 20, { 0: "ee".repeat(32) })];
    inDatabase(collector.database, (database) => {
      const text = JSON.stringify(second);
      database.saveMessages(
        [
          {
            cycle: asCycle(20),
            sender: asNodeId(idOf(0)),
            hash: asHashHex(second.sign.sig.slice(128)),
            text,
          },
        ],
        1,
      );
    });
    expect(await collector.post(first)).toMatchObject({ status: 202 });
    const offences = inDatabase(collector.database, (database) => database.offences());
    expect(offences).toMatchObject([{ kind: "equivocation", evidence: { messages: [second, first] } }]);
  });
});

describe("a collector that is stopped while it starts", () => {
  it("ends, and reports that it has read nothing", async () => {
    const ending = new AbortController();
    const archiver = await httpServer(() => ending.abort());
    const status = await collect({ ...collectOptions(await testNetwork()), archiver, signal: ending.signal });
    expect(status).toMatchObject({ newestCycle: null, nodes: 0, messages: 0 });
  });
});

describe("a collector cannot start", () => {
  it("on an address where another program listens", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const failure = await failureOf(
      collect(collectOptions(await testNetwork(), { listen: { host: "127.0.0.1", port } })),
    );
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("another program listens there"),
    });
  });

  it("without the lists", async () => {
    const options = { ...collectOptions(await testNetwork()), archiver: await deadUrl() };
    expect((await failureOf(collect(options))).code).toBe("temporary");
  });

  it("with the database of another network", async () => {
    const database = join(temporaryDirectory(), "hashes.sqlite");
    const other = HashDatabase.open(database);
    other.claim({ networkId: "other", hashKey: "ab".repeat(32) });
    other.close();
    const failure = await failureOf(collect(collectOptions(await testNetwork(), { database })));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("belongs to another network"),
    });
  });
});
