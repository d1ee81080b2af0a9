/**
 * The partition gossip module (PROTOCOL.md, Partition gossip): it always listens; a message of a cycle
 * that has a Collector goes to it, any other waits in a queue until somebody collects that cycle.
 */

import { gossipCyclesMax, gossipMessagesPerCycleMax } from "../model/limits.ts";
import type { GossipMessage } from "../wire/gossip-message.ts";
import { Collector, type CycleShard } from "./collector.ts";

export class PartitionGossip {
  readonly #queue = new Map<number, GossipMessage[]>();
  readonly #collectors = new Map<number, Collector>();

  /** Takes in a message whose signature holds. Beyond the bounds of the queue it is dropped. */
  receive(message: GossipMessage): void {
    const collector = this.#collectors.get(message.cycle);
    if (collector !== undefined) {
      collector.process([message]);
      return;
    }
    const waiting = this.#queue.get(message.cycle);
    if (waiting === undefined) {
      if (this.#queue.size < gossipCyclesMax) this.#queue.set(message.cycle, [message]);
    } else if (waiting.length < gossipMessagesPerCycleMax) {
      waiting.push(message);
    }
  }

  /** A Collector for `shard.cycleNumber`, which has counted what waited for it. */
  newCollector(shard: CycleShard, hashKey?: string): Collector {
    const collector = new Collector(shard, hashKey);
    this.#collectors.set(shard.cycleNumber, collector);
    collector.process(this.#queue.get(shard.cycleNumber) ?? []);
    this.#queue.delete(shard.cycleNumber);
    return collector;
  }

  /** Forgets a cycle. */
  clean(cycle: number): void {
    this.#queue.delete(cycle);
    this.#collectors.delete(cycle);
  }
}

const gossip = new PartitionGossip();

/**
 * Makes this process listen: whatever brings messages in is given the handler, or calls it itself.
 *
 * @param register for instance a server's route
 */
export function initGossip(
  register?: (handler: (message: GossipMessage) => void) => void,
): (message: GossipMessage) => void {
  const handler = (message: GossipMessage) => gossip.receive(message);
  register?.(handler);
  return handler;
}

/** See {@link PartitionGossip.newCollector}. */
export function newCollector(shard: CycleShard, hashKey?: string): Collector {
  return gossip.newCollector(shard, hashKey);
}

/** See {@link PartitionGossip.clean}. */
export function clean(cycle: number): void {
  gossip.clean(cycle);
}
