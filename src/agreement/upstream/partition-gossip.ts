/**
 * The partition gossip module (PROTOCOL.md, Partition gossip). A message of a cycle that has a Collector goes to it. Any
 * other message is queued until a Collector for its cycle exists.
 */

import { gossipCyclesMax, gossipMessagesPerSenderMax, gossipQueueBytesMax } from "../../limits/gossip.ts";
import { asCycle, type Cycle } from "../../protocol/brands.ts";
import { asGossipMessage, type GossipMessage, type PlainGossipMessage } from "../../wire/gossip-message.ts";
import { Collector, type CycleShard } from "./collector.ts";
import { MessageQueue } from "./message-queue.ts";

export class PartitionGossip {
  readonly #queue = new MessageQueue({
    cyclesMax: gossipCyclesMax,
    messagesPerSenderMax: gossipMessagesPerSenderMax,
    bytesMax: gossipQueueBytesMax,
  });
  readonly #collectors = new Map<Cycle, Collector>();

  /** Takes a message with a valid signature, and drops it if the queue is full. */
  receive(message: GossipMessage): void {
    const collector = this.#collectors.get(message.cycle);
    if (collector !== undefined) collector.process([message]);
    else this.#queue.add(message);
  }

  /** Returns a Collector for `shard.cycleNumber`, which has counted the queued messages of that cycle. */
  newCollector(shard: CycleShard, hashKey?: string): Collector {
    const collector = new Collector(shard, hashKey);
    const cycle = asCycle(shard.cycleNumber);
    this.#collectors.set(cycle, collector);
    collector.process(this.#queue.take(cycle));
    return collector;
  }

  /** Forgets a cycle. */
  clean(cycle: Cycle): void {
    this.#queue.take(cycle);
    this.#collectors.delete(cycle);
  }

  /** Forgets the cycles that are more than `age` before the current one, and queues none of them again. */
  cleanOld(current: number, age: number): void {
    this.#queue.dropBefore(current - age);
    for (const cycle of this.#collectors.keys()) {
      if (cycle < current - age) this.#collectors.delete(cycle);
    }
  }
}

const gossip = new PartitionGossip();

/**
 * Starts the module of this process, and returns its handler for messages with valid signatures, parsed or as received.
 *
 * @param register receives the handler too, for instance to make it a server's route
 */
export function initGossip(
  register?: (handler: (message: PlainGossipMessage | object) => void) => void,
): (message: PlainGossipMessage | object) => void {
  const handler = (message: PlainGossipMessage | object) => gossip.receive(asGossipMessage(message));
  register?.(handler);
  return handler;
}

/** See {@link PartitionGossip.newCollector}. */
export function newCollector(shard: CycleShard, hashKey?: string): Collector {
  return gossip.newCollector(shard, hashKey);
}

/**
 * See {@link PartitionGossip.clean}.
 *
 * @throws RangeError if the cycle is not a whole number from 0
 */
export function clean(cycle: number): void {
  gossip.clean(asCycle(cycle));
}

/** See {@link PartitionGossip.cleanOld}. */
export function cleanOld(current: number, age: number): void {
  gossip.cleanOld(current, age);
}
