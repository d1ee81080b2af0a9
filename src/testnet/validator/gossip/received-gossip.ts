/** The texts of admitted votes, which a validator sends on request. They are bounded in bytes: the oldest cycles go. */

import type { Vote } from "../../../agreement/admission/admission.ts";
import type { Cycle, NodeId } from "../../../protocol/brands.ts";

export class ReceivedGossip {
  readonly #bytesMax: number;
  /** Cycle → sender → texts, the cycles in the order of their first vote. */
  readonly #cycles = new Map<Cycle, Map<NodeId, string[]>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `undefined` where there are none. */
  messagesOf(cycle: Cycle): readonly string[] | undefined {
    const senders = this.#cycles.get(cycle);
    return senders && [...senders.values()].flat();
  }

  add({ cycle, sender, text }: Pick<Vote, "cycle" | "sender" | "text">): void {
    const senders = this.#cycles.get(cycle) ?? new Map<NodeId, string[]>();
    senders.set(sender, [...(senders.get(sender) ?? []), text]);
    this.#cycles.set(cycle, senders);
    this.#bytes += text.length;
    for (const [oldest] of this.#cycles) {
      if (this.#bytes <= this.#bytesMax || oldest === cycle) break;
      this.#drop(oldest);
    }
  }

  /** Forgets all other cycles. */
  keep(isKept: (cycle: Cycle) => boolean): void {
    for (const cycle of [...this.#cycles.keys()]) if (!isKept(cycle)) this.#drop(cycle);
  }

  #drop(cycle: Cycle): void {
    for (const text of this.messagesOf(cycle) ?? []) this.#bytes -= text.length;
    this.#cycles.delete(cycle);
  }
}
