/**
 * Queues gossip messages of cycles that have no Collector yet. Any active node can sign messages of any cycle, so the
 * queue is bounded in cycles, in messages of a sender, and in bytes. Where there is no room, the cycle with the fewest
 * senders is dropped first, so that a few liars cannot displace the messages of all others.
 */

import type { GossipMessage } from "../../wire/gossip-message.ts";

export interface QueueBounds {
  readonly cyclesMax: number;
  /** In one cycle. */
  readonly messagesPerSenderMax: number;
  /** All messages, as JSON. */
  readonly bytesMax: number;
}

interface Waiting {
  readonly message: GossipMessage;
  readonly bytes: number;
}

export class MessageQueue {
  readonly #bounds: QueueBounds;
  /** Cycle → sender → messages. */
  readonly #cycles = new Map<number, Map<string, Waiting[]>>();
  #bytes = 0;
  /** Earlier cycles are no longer queued. */
  #firstCycle = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** Returns whether there was room for it. */
  add(message: GossipMessage): boolean {
    const { cycle, sender } = message;
    if (cycle < this.#firstCycle) return false;
    const senders = this.#cycles.get(cycle) ?? new Map<string, Waiting[]>();
    const ofSender = senders.get(sender) ?? [];
    if (ofSender.length >= this.#bounds.messagesPerSenderMax) return false;
    const bytes = JSON.stringify(message.received).length;
    ofSender.push({ message, bytes });
    senders.set(sender, ofSender);
    this.#cycles.set(cycle, senders);
    this.#bytes += bytes;
    while (this.#cycles.size > this.#bounds.cyclesMax || this.#bytes > this.#bounds.bytesMax) {
      this.#drop(this.#fewestSenders());
    }
    return this.#cycles.get(cycle) === senders;
  }

  /** Removes and returns a cycle's messages, each sender's in the order in which they arrived. */
  take(cycle: number): GossipMessage[] {
    const senders = this.#cycles.get(cycle);
    this.#drop(cycle);
    return [...(senders?.values() ?? [])].flatMap((waiting) => waiting.map(({ message }) => message));
  }

  dropBefore(cycle: number): void {
    this.#firstCycle = Math.max(this.#firstCycle, cycle);
    for (const known of [...this.#cycles.keys()]) {
      if (known < this.#firstCycle) this.#drop(known);
    }
  }

  /** Of cycles with equally few senders, the latest one: its messages may arrive again. */
  #fewestSenders(): number {
    let least = { cycle: Number.NaN, senders: Number.POSITIVE_INFINITY };
    for (const [cycle, senders] of this.#cycles) {
      const isLess = senders.size < least.senders || (senders.size === least.senders && cycle > least.cycle);
      if (isLess) least = { cycle, senders: senders.size };
    }
    return least.cycle;
  }

  #drop(cycle: number): void {
    for (const waiting of this.#cycles.get(cycle)?.values() ?? []) {
      for (const { bytes } of waiting) this.#bytes -= bytes;
    }
    this.#cycles.delete(cycle);
  }
}
