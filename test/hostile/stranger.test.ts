/** Attacks on a collector by a client that is not a node of the network. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { pushRejectionsMax } from "../../src/limits/collect.ts";
import { pipelinedRequestsMax } from "../../src/limits/http-server.ts";
import { asCycle } from "../../src/protocol/brands.ts";
import { inDatabase, type RunningCollector, startCollector } from "../collect/running-collector.ts";
import { identities, testNetwork, trueNetworkHash, voteOf, votesOf } from "../collect/test-network.ts";

const idOf = (index: number) => identities[index]?.id ?? "";

async function socketTo({ url }: RunningCollector): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Returns everything that is received until the connection ends. */
async function received(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

const isTaken = async (collector: RunningCollector, index: number) =>
  (await collector.post(voteOf(index, 20))).status === 202;

describe("a stranger's push", () => {
  it("of millions of messages is checked one by one, and ended after a bound", async () => {
    const collector = await startCollector(await testNetwork());
    const body = `{"messages":[${"{},".repeat(5_000_000)}{}]}`;
    expect(await collector.post(body)).toMatchObject({ status: 400 });
    expect((await collector.get("/healthz")).body).toMatchObject({
      pushed: { refused: pushRejectionsMax + 1 },
    });
    expect(await isTaken(collector, 0)).toBe(true);
  });

  it("of one message of 15 MB is refused before it becomes a string", async () => {
    const collector = await startCollector(await testNetwork());
    const body = `{"a":[${"{},".repeat(5_000_000)}{}]}`;
    expect(await collector.post(body)).toMatchObject({ status: 413 });
    expect(await isTaken(collector, 0)).toBe(true);
  });

  it("in chunks of one byte is refused", async () => {
    const collector = await startCollector(await testNetwork());
    const socket = await socketTo(collector);
    const text = received(socket);
    socket.write("POST /partition-gossip HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write("1\r\n{\r\n".repeat(20_000));
    expect(await text).toMatch(/^HTTP\/1.1 400 .*chunks of less than/s);
    expect(await isTaken(collector, 0)).toBe(true);
  });

  it("that is pipelined with thousands of others ends the connection", async () => {
    const collector = await startCollector(await testNetwork());
    const socket = await socketTo(collector);
    const text = received(socket);
    const push = "POST /partition-gossip HTTP/1.1\r\nHost: c\r\nContent-Length: 2\r\n\r\n{}";
    socket.write(push.repeat(5_000));
    expect((await text).split("HTTP/1.1").length - 1).toBeLessThanOrEqual(pipelinedRequestsMax);
    expect(await isTaken(collector, 0)).toBe(true);
  });

  it("that is never complete does not prevent the collector from ending", async () => {
    const collector = await startCollector(await testNetwork());
    const sockets = await Promise.all(Array.from({ length: 20 }, () => socketTo(collector)));
    for (const socket of sockets) {
      socket.write("POST /partition-gossip HTTP/1.1\r\nHost: c\r\nContent-Length: 4000000\r\n\r\n{");
    }
    const texts = Promise.all(sockets.map(received));
    await collector.stop();
    // Connections that wait for the time limit of a request receive a response with status 408.
    expect(new Set(await texts)).toEqual(new Set([""]));
  });

  it("that is not UTF-8 is refused", async () => {
    const collector = await startCollector(await testNetwork());
    const text = JSON.stringify({ ...voteOf(0, 20), more: "ÿ" });
    const response = await fetch(`${collector.url}/partition-gossip`, {
      method: "POST",
      body: Buffer.from(text, "latin1"),
    });
    expect(response.status).toBe(400);
  });
});

describe("the content that a relay adds to a signed message", () => {
  const decorations = [
    {
      id: "a key that canonical text drops",
      add: (text: string) => `${text.slice(0, -1)},"constructor":{"a":1}}`,
    },
    {
      id: "a forbidden key inside",
      add: (text: string) => text.replace('"data":{', '"data":{"__proto__":{"x":1},'),
    },
    { id: "keys in its sign", add: (text: string) => text.replace('"sign":{', '"sign":{"more":[1,2,3],') },
    { id: "white space", add: (text: string) => JSON.stringify(JSON.parse(text), null, 2) },
  ];

  it.each(decorations)("($id) changes nothing, in either order", async ({ add }) => {
    for (const isFirst of [true, false]) {
      const collector = await startCollector(await testNetwork());
      const [plain, decorated] = [JSON.stringify(voteOf(1, 20)), add(JSON.stringify(voteOf(1, 20)))];
      const [first, second] = isFirst ? [decorated, plain] : [plain, decorated];
      expect(await collector.post(first)).toMatchObject({ status: 202, body: { stored: 1 } });
      expect(await collector.post(second)).toMatchObject({ status: 200, body: { known: 1 } });
      await collector.post({ messages: votesOf(20) });
      await collector.until("agreed");
      await collector.stop();
      const after = await startCollector(await testNetwork(), { database: collector.database });
      expect(await after.post(plain)).toMatchObject({ status: 200 });
      inDatabase(collector.database, (database) => {
        expect(database.offences()).toEqual([]);
        expect(database.networkHash(asCycle(20))).toBe(trueNetworkHash);
      });
    }
  });
});

describe("an archiver's response", () => {
  const falseCounters = [1_000_000, 9, Number.MAX_SAFE_INTEGER, 2 ** 40];

  it.each(falseCounters)("that the newest cycle is %d does not keep honest messages out", async (counter) => {
    const network = await testNetwork();
    const collector = await startCollector(network, { pollMs: 20 });
    expect(await isTaken(collector, 0)).toBe(true);
    network.newestCycle = counter;
    await collector.until("warning", ({ message }) => message.includes("cycle records"));
    network.newestCycle = 20;
    expect(await isTaken(collector, 1)).toBe(true);
    await collector.post({ messages: votesOf(20) });
    await collector.until("agreed", ({ cycle }) => cycle === 20);
    expect(await collector.stop()).toMatchObject({ newestCycle: 20 });
  });

  it("that is the first one and false is corrected by the next one", async () => {
    const network = await testNetwork();
    network.newestCycle = 1_000_000;
    const collector = await startCollector(network, { pollMs: 20 });
    network.newestCycle = 20;
    await collector.until("network", ({ newestCycle }) => newestCycle === 20);
    expect(await collector.post({ messages: votesOf(20) })).toMatchObject({
      status: 202,
      body: { stored: 5 },
    });
    expect(await collector.until("agreed")).toMatchObject({ cycle: 20, networkHash: trueNetworkHash });
  });
});

describe("a node that is polled", () => {
  it("is not blamed for messages that others have signed, and the rest of its response is read", async () => {
    const network = await testNetwork();
    const large = { ...voteOf(0, 18), more: "x".repeat(200_000) };
    const strange = voteOf(5, 18);
    network.gossip.set(2, (cycle) =>
      cycle === 18 ? [large, strange, ...votesOf(18).slice(0, 3)] : undefined,
    );
    network.gossip.set(3, (cycle) => (cycle === 18 ? votesOf(18).slice(3) : undefined));
    const collector = await startCollector(network);
    await collector.until("agreed", ({ cycle }) => cycle === 18);
    await collector.stop();
    expect(inDatabase(collector.database, (database) => database.offences())).toEqual([]);
  });

  it("is blamed for relaying a message without a valid signature, and no other node is", async () => {
    const network = await testNetwork();
    const forged = { ...voteOf(1, 18), more: 1 };
    network.gossip.set(2, (cycle) => (cycle === 18 ? [forged, ...votesOf(18)] : undefined));
    const collector = await startCollector(network);
    const { offence } = await collector.until("offence");
    expect(offence).toMatchObject({ node: idOf(2), kind: "invalid-gossip", basis: "observed" });
    await collector.until("agreed", ({ cycle }) => cycle === 18);
    await collector.stop();
    const offences = inDatabase(collector.database, (database) => database.offences());
    expect(offences.map(({ node }) => node)).toEqual([idOf(2)]);
  });
});
