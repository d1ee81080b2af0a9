/**
 * Queues gossip messages of cycles that have no Collector yet. Any active node can sign messages of any cycle, so the
 * queue is bounded in cycles, in messages of a sender, and in bytes. If there is no room, the cycle with the fewest
 * senders is dropped first, so that a few liars cannot displace the messages of all others.
 */

import type { Cycle, NodeId } from "../../protocol/brands.ts";
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
  readonly #cycles = new Map<Cycle, Map<NodeId, Waiting[]>>();
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
    const senders = this.#cycles.get(cycle) ?? new Map<NodeId, Waiting[]>();
    const ofSender = senders.get(sender) ?? [];
    if (ofSender.length >= this.#bounds.messagesPerSenderMax) return false;
    const bytes = JSON.stringify(message.received).length;
    ofSender.push({ message, bytes });
    senders.set(sender, ofSender);
    this.#cycles.set(cycle, senders);
    this.#bytes += bytes;
    while (this.#cycles.size > this.#bounds.cyclesMax || this.#bytes > this.#bounds.bytesMax) {
      const fewest = this.#fewestSenders();
      if (fewest === undefined) break;
      this.#drop(fewest);
    }
    return this.#cycles.get(cycle) === senders;
  }

  /** Removes and returns a cycle's messages, each sender's in the order in which they arrived. */
  take(cycle: Cycle): GossipMessage[] {
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

  /** Returns the cycle with the fewest senders; of several, the latest one, whose messages may arrive again. */
  #fewestSenders(): Cycle | undefined {
    let least: { readonly cycle: Cycle; readonly senders: number } | undefined;
    for (const [cycle, senders] of this.#cycles) {
      const isFirst = least === undefined || senders.size < least.senders;
      if (isFirst || (senders.size === least?.senders && cycle > least.cycle))
        least = { cycle, senders: senders.size };
    }
    return least?.cycle;
  }

  #drop(cycle: Cycle): void {
    for (const waiting of this.#cycles.get(cycle)?.values() ?? []) {
      for (const { bytes } of waiting) this.#bytes -= bytes;
    }
    this.#cycles.delete(cycle);
  }
}
