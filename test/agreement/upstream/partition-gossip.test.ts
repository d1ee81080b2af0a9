/** The gossip module: what it queues, what it passes to a Collector, and what it forgets. */

import { describe, expect, it } from "vitest";
import type { AllHashes } from "../../../src/agreement/upstream/collector.ts";
import { MessageQueue } from "../../../src/agreement/upstream/message-queue.ts";
import {
  clean,
  cleanOld,
  initGossip,
  newCollector,
  PartitionGossip,
} from "../../../src/agreement/upstream/partition-gossip.ts";
import { gossipCyclesMax } from "../../../src/limits/gossip.ts";
import { asCycle, asPartition } from "../../../src/protocol/brands.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { type GossipMessage, parseGossipMessage } from "../../../src/wire/gossip-message.ts";

const ids = Array.from({ length: 5 }, (_, index) => String(index).repeat(64));
const hash = "ab".repeat(32);

function shardOf(cycleNumber: number) {
  const shard = makeShard({ numNodes: ids.length, nodesPerConsensusGroup: 3 });
  return { ...shard, cycleNumber, nodeIds: ids };
}

function received(cycle: number, sender: number, hashOfAll = hash): object {
  const partitions = ["-1", ...ids.map((_, index) => String(index))];
  const partitionHash = Object.fromEntries(partitions.map((partition) => [partition, hashOfAll]));
  return { cycle, data: { partitionHash }, sender: ids[sender] };
}

function message(cycle: number, sender: number, hashOfAll = hash): GossipMessage {
  return parseGossipMessage(received(cycle, sender, hashOfAll), "test");
}

const everyMessage = (cycle: number) => ids.map((_, sender) => message(cycle, sender));

describe("the gossip module", () => {
  it("queues messages until their cycle has a Collector, which then counts them", () => {
    const gossip = new PartitionGossip();
    for (const one of everyMessage(7)) gossip.receive(one);
    expect(gossip.newCollector(shardOf(7)).messages.size).toBe(5);
  });

  it("passes a message to the Collector of its cycle, and to no other", () => {
    const gossip = new PartitionGossip();
    const [seven, eight] = [gossip.newCollector(shardOf(7)), gossip.newCollector(shardOf(8))];
    gossip.receive(message(8, 0));
    expect([seven.messages.size, eight.messages.size]).toEqual([0, 1]);
  });

  it("emits gotAllHashes to a listener that is added right after its Collector was complete", async () => {
    const gossip = new PartitionGossip();
    for (const one of everyMessage(7)) gossip.receive(one);
    const emitted = await new Promise<AllHashes>((resolve) => {
      gossip.newCollector(shardOf(7)).once("gotAllHashes", resolve);
    });
    expect(emitted.cycle).toBe(7);
    expect(emitted.partitionHashes).toEqual(new Map([-1, 0, 1, 2, 3, 4].map((of) => [of, hash])));
    expect(emitted.agreements.get(3)).toEqual({ hash, votesFor: 3, votesAgainst: 0, outOf: 3 });
  });

  it("emits gotAllHashes once, however many messages follow", () => {
    const gossip = new PartitionGossip();
    const collector = gossip.newCollector(shardOf(7));
    let emitted = 0;
    collector.on("gotAllHashes", () => emitted++);
    for (const one of everyMessage(7)) gossip.receive(one);
    for (const one of everyMessage(7)) gossip.receive(one);
    expect(emitted).toBe(1);
  });

  it("forgets a cycle's Collector and its messages", () => {
    const gossip = new PartitionGossip();
    const first = gossip.newCollector(shardOf(7));
    gossip.receive(message(8, 0));
    gossip.clean(asCycle(7));
    gossip.clean(asCycle(8));
    gossip.receive(message(7, 1));
    expect(first.messages.size).toBe(0);
    expect(gossip.newCollector(shardOf(7)).messages.size).toBe(1);
    expect(gossip.newCollector(shardOf(8)).messages.size).toBe(0);
  });

  it("forgets cycles beyond an age, and drops their later messages", () => {
    const gossip = new PartitionGossip();
    const old = gossip.newCollector(shardOf(5));
    for (const cycle of [6, 7, 8]) gossip.receive(message(cycle, 0));
    gossip.cleanOld(9, 2);
    gossip.receive(message(5, 0));
    gossip.receive(message(6, 1));
    expect(old.messages.size).toBe(0);
    expect([6, 7, 8].map((cycle) => gossip.newCollector(shardOf(cycle)).messages.size)).toEqual([0, 1, 1]);
  });

  it("is shared by the process, and takes messages parsed or as received", () => {
    let handler: (one: object) => void = () => expect.unreachable();
    initGossip((registered) => {
      handler = registered;
    });
    handler(message(100, 0));
    handler(received(100, 1));
    expect(newCollector(shardOf(100)).messages.size).toBe(2);
    clean(100);
    expect(newCollector(shardOf(100)).messages.size).toBe(0);
    handler(message(90, 0));
    cleanOld(100, 5);
    expect(newCollector(shardOf(90)).messages.size).toBe(0);
    clean(90);
    clean(100);
  });
});

describe("the queue of gossip", () => {
  const bounds = { cyclesMax: 3, messagesPerSenderMax: 2, bytesMax: 100_000 };

  it("keeps the first messages of a sender for a cycle, up to a bound", () => {
    const queue = new MessageQueue(bounds);
    const hashes = ["11", "22", "33"].map((digits) => digits.repeat(32));
    expect(hashes.map((one) => queue.add(message(7, 0, one)))).toEqual([true, true, false]);
    expect(queue.add(message(7, 1))).toBe(true);
    expect(queue.take(asCycle(7)).map(({ hashes: of }) => of.get(asPartition(0)))).toEqual([
      ...hashes.slice(0, 2),
      hash,
    ]);
  });

  it("drops the cycle with the fewest senders if there are too many cycles", () => {
    const queue = new MessageQueue(bounds);
    for (const cycle of [7, 8]) for (const sender of [0, 1]) queue.add(message(cycle, sender));
    for (let cycle = 1000; cycle < 1100; cycle++) queue.add(message(cycle, 4));
    expect(queue.add(message(9, 0))).toBe(true);
    expect([7, 8, 9].map((cycle) => queue.take(asCycle(cycle)).length)).toEqual([2, 2, 1]);
  });

  it("does not exceed its bound on bytes", () => {
    const bytes = JSON.stringify(received(7, 0)).length;
    const queue = new MessageQueue({ ...bounds, bytesMax: 3 * bytes });
    for (const sender of [0, 1, 2]) expect(queue.add(message(7, sender))).toBe(true);
    expect(queue.add(message(8, 0))).toBe(false);
    expect(queue.take(asCycle(7))).toHaveLength(3);
    expect(queue.add(message(8, 0))).toBe(true);
  });

  it("keeps room for real cycles while one sender invents any number of others", () => {
    const gossip = new PartitionGossip();
    for (let cycle = 10_000; cycle < 10_000 + 10 * gossipCyclesMax; cycle++)
      gossip.receive(message(cycle, 4));
    gossip.receive(message(7, 0));
    for (let cycle = 20_000; cycle < 20_000 + 10 * gossipCyclesMax; cycle++)
      gossip.receive(message(cycle, 4));
    expect(gossip.newCollector(shardOf(7)).messages.size).toBe(1);
  });
});
