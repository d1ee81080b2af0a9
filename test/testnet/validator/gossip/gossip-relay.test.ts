/** Gossip between validators, to real servers: each validly signed message is forwarded once. */

import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PartitionGossip } from "../../../../src/agreement/upstream/partition-gossip.ts";
import { asCycle, asNodeId } from "../../../../src/protocol/brands.ts";
import { signed } from "../../../../src/protocol/crypto/signature.ts";
import { makeShard } from "../../../../src/protocol/shard.ts";
import { gossipBatchBytesMax, outboxBytesMax } from "../../../../src/testnet/limits.ts";
import { GossipRelay } from "../../../../src/testnet/validator/gossip/gossip-relay.ts";
import { PeerOutbox } from "../../../../src/testnet/validator/gossip/peer-outbox.ts";
import { makeVote } from "../../../../src/testnet/validator/gossip/vote.ts";
import { type Identity, makeIdentity } from "../../../../src/testnet/validator/identity.ts";
import { asHashes } from "../../../helpers/brands.ts";
import { httpServer } from "../../../helpers/servers.ts";
import { membershipOf } from "../small-state.ts";

/** A push that times out is retried: on a busy machine, messages would arrive twice. */
vi.mock("../../../../src/testnet/limits.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  gossipPushTimeoutMs: 60_000,
}));

const numNodes = 8;
const identities = Array.from({ length: numNodes }, (_, index) =>
  makeIdentity(asNodeId(index.toString(16).repeat(64)), Buffer.alloc(32, index + 1)),
);
const [self, other, third] = identities as [Identity, Identity, Identity];

const shard = {
  ...makeShard({ numNodes, nodesPerConsensusGroup: 3 }),
  nodeIds: identities.map(({ id }) => id),
};

function vote(identity = other, cycle = 5, digit = "a") {
  return makeVote(identity, asCycle(cycle), asHashes(new Map([[-1, digit.repeat(64)]])));
}

/** A relay of node 0, and the messages that each peer received, by index. */
async function setUp(status = 200) {
  const pushes = new Map<number, string[]>();
  let refusals = 0;
  const nodes = await Promise.all(
    identities.map(async ({ id, publicKey }, index) => {
      const url = await httpServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
        if (status !== 200 && refusals++ < 2) return void response.writeHead(status).end();
        const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as { messages: object[] };
        const texts = messages.map((message) => JSON.stringify(message));
        pushes.set(index, [...(pushes.get(index) ?? []), ...texts]);
        response.end("{}");
      });
      return { id, publicKey, url };
    }),
  );
  const gossip = new PartitionGossip();
  const membership = membershipOf(nodes);
  const relay = new GossipRelay({
    membership,
    gossip,
    forwarded: (_cycle, messages) => messages,
    onMessage: () => undefined,
  });
  relay.cycleBegan(asCycle(5));
  onTestFinished(() => relay.stop());
  const collected = (cycle = 5) => gossip.newCollector({ ...shard, cycleNumber: cycle }).messages.size;
  return { relay, membership, pushes, collected };
}

type Signed = ReturnType<typeof vote>;

const patient = { timeout: 60_000 };

/** Waits until all queued messages are delivered: a last message ends each queue, since queues keep their order. */
async function delivered(relay: GossipRelay, pushes: Map<number, string[]>): Promise<void> {
  const last = JSON.stringify(vote(self, 6));
  relay.send(asCycle(6), [last]);
  await vi.waitFor(() => {
    for (const peer of [1, 2, 4, 6, 7]) expect(pushes.get(peer)).toContain(last);
  }, patient);
  for (const [peer, messages] of pushes) {
    const others = messages.filter((message) => message !== last);
    if (others.length > 0) pushes.set(peer, others);
    else pushes.delete(peer);
  }
}

describe("a validator's gossip", () => {
  it("is sent to the peers at distances of powers of two, and on request", async () => {
    const { relay, pushes, collected } = await setUp();
    const own = JSON.stringify(vote(self));
    relay.send(asCycle(5), [own]);
    await delivered(relay, pushes);
    expect([...pushes.keys()].sort()).toEqual([1, 2, 4, 6, 7]);
    expect([...pushes.values()]).toEqual(Array(5).fill([own]));
    expect(relay.messagesOf(asCycle(5))).toEqual([own]);
    expect(collected()).toBe(1);
  });

  it("forwards a message of another node once, however often it arrives", async () => {
    const { relay, pushes, collected } = await setUp();
    const message = JSON.stringify(vote());
    expect(await relay.receive(message)).toEqual({ taken: 1, known: 0, refused: 0 });
    expect(await relay.receive(`{"messages":[${message},${message}]}`)).toEqual({
      taken: 0,
      known: 2,
      refused: 0,
    });
    await delivered(relay, pushes);
    expect([...pushes.values()]).toEqual(Array(5).fill([message]));
    expect(collected()).toBe(1);
  });

  it.each([
    { id: "a changed hash", message: () => ({ ...vote(), data: { "-1": "b".repeat(64) } }) },
    { id: "the name of another node", message: () => ({ ...vote(), sender: third.id }) },
    {
      id: "signed by a node that is not its sender",
      message: () => makeVote({ ...other, id: third.id }, asCycle(5), new Map()),
    },
    {
      id: "signed by a key outside of the network",
      message: () => vote(makeIdentity(asNodeId("9".repeat(64)), Buffer.alloc(32, 99))),
    },
    { id: "of the far future", message: () => vote(other, 500) },
    { id: "not a message", message: () => ({ hello: "world" }) },
  ])("refuses an invalid message, and forwards it to no peer: $id", async ({ message }) => {
    const { relay, pushes, collected } = await setUp();
    expect(await relay.receive(JSON.stringify(message()))).toEqual({ taken: 0, known: 0, refused: 1 });
    await delivered(relay, pushes);
    expect(pushes.size).toBe(0);
    expect([collected(), collected(500), relay.messagesOf(asCycle(5))]).toEqual([0, 0, undefined]);
  });

  it.each([
    {
      id: "an additional field in the signature",
      copy: (one: Signed) => ({ ...one, sign: { ...one.sign, pad: "x" } }),
    },
    {
      id: "upper-case digits",
      copy: (one: Signed) => ({ ...one, sign: { ...one.sign, sig: one.sign.sig.toUpperCase() } }),
    },
    { id: "another order of keys", copy: (one: Signed) => Object.fromEntries(Object.entries(one).reverse()) },
    {
      id: "a key that is not hashed",
      copy: (one: Signed) => JSON.parse(JSON.stringify(one).replace("{", '{"constructor":1,')) as object,
    },
  ])("knows a copy of a vote, and does not take it for an equivocation: $id", async ({ copy }) => {
    const { relay, pushes } = await setUp();
    const [first, second] = [vote(), vote(other, 5, "b")];
    for (const message of [copy(first), first, copy(first)]) await relay.receive(JSON.stringify(message));
    expect(relay.messagesOf(asCycle(5))).toHaveLength(1);
    expect(relay.messagesOf(asCycle(5))?.[0]).not.toMatch(/pad|constructor/);
    // The second vote, which proves the equivocation, is still admitted.
    expect(await relay.receive(JSON.stringify(second))).toEqual({ taken: 1, known: 0, refused: 0 });
    await delivered(relay, pushes);
    expect(pushes.get(1)).toHaveLength(2);
  });

  it("rejects a message that is larger than any of its network", async () => {
    const { relay } = await setUp();
    const { sign: _sign, ...large } = { ...vote(), pad: "x".repeat(100_000) };
    const message = signed(large, other.privateKey);
    expect(await relay.receive(JSON.stringify(message))).toEqual({ taken: 0, known: 0, refused: 1 });
  });

  it("keeps and forwards two different messages of a sender, and rejects a third", async () => {
    const { relay, pushes } = await setUp();
    const texts = ["a", "b", "c"].map((digit) => JSON.stringify(vote(other, 5, digit)));
    for (const one of texts) await relay.receive(one);
    await delivered(relay, pushes);
    expect(relay.messagesOf(asCycle(5))).toEqual(texts.slice(0, 2));
    expect(pushes.get(1)?.sort()).toEqual(texts.slice(0, 2).sort());
  });

  it("is retried where a peer is busy", async () => {
    const { relay, pushes } = await setUp(503);
    relay.send(asCycle(5), [JSON.stringify(vote(self))]);
    await delivered(relay, pushes);
    expect(pushes.size).toBe(5);
  });

  it("does not drop a message because a peer rejects others of the same push", async () => {
    const taken: string[] = [];
    const url = await httpServer(async (request, response) => {
      const body = await text(request);
      if (body.includes("refuse")) return void response.writeHead(400).end();
      taken.push(...(JSON.parse(body) as { messages: string[] }).messages);
      response.end("{}");
    });
    const outbox = new PeerOutbox(url);
    onTestFinished(() => outbox.stop());
    for (const message of ["first", "second", "refuse", "third"]) outbox.add(JSON.stringify(message));
    await vi.waitFor(() => expect(taken).toEqual(["first", "second", "third"]), patient);
  });

  it("is sent in pushes within the bounds, and drops the oldest messages of a full queue", async () => {
    const sizes: number[] = [];
    let isOpen = false;
    let isLast = false;
    const url = await httpServer(async (request, response) => {
      while (!isOpen) await sleep(5);
      const body = await text(request);
      sizes.push(body.length);
      isLast ||= body.includes('"last"');
      response.end("{}");
    });
    const outbox = new PeerOutbox(url);
    onTestFinished(() => outbox.stop());
    const message = JSON.stringify("x".repeat(gossipBatchBytesMax / 4));
    for (let count = 0; count < 200; count++) outbox.add(message);
    outbox.add('"last"');
    isOpen = true;
    await vi.waitFor(() => expect(isLast).toBe(true), patient);
    expect(sizes.length).toBeGreaterThan(outboxBytesMax / gossipBatchBytesMax);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(gossipBatchBytesMax + 100);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(
      outboxBytesMax + 2 * gossipBatchBytesMax,
    );
  });

  it("goes around the ring of its cycle", async () => {
    const { relay, membership, pushes } = await setUp();
    membership.apply({ type: "node-removed", cycle: asCycle(6), id: other.id });
    for (const cycle of [5, 6].map(asCycle)) relay.send(cycle, [JSON.stringify(vote(self, cycle))]);
    await relay.flush();
    const cyclesOf = (peer: number) =>
      (pushes.get(peer) ?? []).map((message) => (JSON.parse(message) as { cycle: number }).cycle);
    // Of eight nodes, the peers of node 0 are 1, 2, 4, 6 and 7; without node 1, they are 2, 3, 6 and 7.
    expect([1, 2, 3, 4, 5, 6, 7].map(cyclesOf)).toEqual([[5], [5, 6], [6], [5], [], [5, 6], [5, 6]]);
  });

  it("of a node that has just joined is admitted before this validator knows that it is active", async () => {
    const { relay, membership, collected } = await setUp();
    const joining = makeIdentity(asNodeId("8".repeat(64)), Buffer.alloc(32, 88));
    const { id, publicKey } = joining;
    const message = (cycle: number) => JSON.stringify(vote(joining, cycle));
    expect(await relay.receive(message(6))).toMatchObject({ refused: 1 });
    membership.apply({ type: "node-joined", cycle: asCycle(4), id, publicKey, url: "http://127.0.0.1:1" });
    expect(await relay.receive(message(6))).toMatchObject({ taken: 1 });
    // It is not a node of a cycle that has ended.
    expect(await relay.receive(message(4))).toMatchObject({ refused: 1 });
    expect(collected(6)).toBe(0);
  });

  it("is refused for a moment while no node is known", async () => {
    const gossip = new PartitionGossip();
    const forwarded = (_cycle: number, messages: readonly string[]) => messages;
    const options = { membership: membershipOf([]), gossip, forwarded, onMessage: () => undefined };
    await expect(new GossipRelay(options).receive(JSON.stringify(vote()))).rejects.toMatchObject({
      status: 503,
    });
  });

  it("forgets old cycles", async () => {
    const { relay } = await setUp();
    await relay.receive(JSON.stringify(vote()));
    relay.cycleBegan(asCycle(1000));
    expect(relay.messagesOf(asCycle(5))).toBeUndefined();
    expect(await relay.receive(JSON.stringify(vote()))).toEqual({ taken: 0, known: 0, refused: 1 });
  });

  it.each(["", "[", "null", "7", '{"messages":[1,null]}'])(
    "is refused or empty where it is %s",
    async (body) => {
      const { relay } = await setUp();
      const outcome = await relay.receive(body).catch((error: { status: number }) => error.status);
      expect([400, { taken: 0, known: 0, refused: 0 }]).toContainEqual(outcome);
    },
  );
});
