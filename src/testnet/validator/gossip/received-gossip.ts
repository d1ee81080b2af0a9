/** The messages that a validator has heard and found valid, which it answers others with: some of each sender. */

import type { GossipMessage } from "../../../wire/gossip-message.ts";

interface ReceivedMessage {
  readonly text: string;
  /** Of what is signed. */
  readonly hash: string;
}

export class ReceivedGossip {
  readonly #messagesPerSenderMax: number;
  readonly #bytesMax: number;
  /** Cycle → sender → messages, the cycles in the order in which they were first heard of. */
  readonly #cycles = new Map<number, Map<string, ReceivedMessage[]>>();
  readonly #hashes = new Set<string>();
  #bytes = 0;

  constructor(messagesPerSenderMax: number, bytesMax: number) {
    this.#messagesPerSenderMax = messagesPerSenderMax;
    this.#bytesMax = bytesMax;
  }

  /** As JSON; `undefined` where there are none. */
  messagesOf(cycle: number): readonly string[] | undefined {
    const senders = this.#cycles.get(cycle);
    return senders && [...senders.values()].flat().map(({ text }) => text);
  }

  has(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  /** Answers whether it is new, and one of the few of its sender and cycle that are kept. */
  add({ cycle, sender }: GossipMessage, text: string, hash: string): boolean {
    const senders = this.#cycles.get(cycle) ?? new Map<string, ReceivedMessage[]>();
    const messages = senders.get(sender) ?? [];
    if (this.#hashes.has(hash) || messages.length >= this.#messagesPerSenderMax) return false;
    messages.push({ text, hash });
    senders.set(sender, messages);
    this.#cycles.set(cycle, senders);
    this.#hashes.add(hash);
    this.#bytes += text.length;
    for (const [oldest] of this.#cycles) {
      if (this.#bytes <= this.#bytesMax || oldest === cycle) break;
      this.#drop(oldest);
    }
    return true;
  }

  /** Forgets all other cycles. */
  keep(isKept: (cycle: number) => boolean): void {
    for (const cycle of [...this.#cycles.keys()]) if (!isKept(cycle)) this.#drop(cycle);
  }

  #drop(cycle: number): void {
    for (const { text, hash } of [...(this.#cycles.get(cycle)?.values() ?? [])].flat()) {
      this.#bytes -= text.length;
      this.#hashes.delete(hash);
    }
    this.#cycles.delete(cycle);
  }
}
