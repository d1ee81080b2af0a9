/**
 * A fair queue: address prefixes take turns, so that one with many items only delays its own.
 *
 * Turns go by address, not by sender. Any client can claim to be any sender, and must not be able to delay that
 * sender's own messages.
 */

import { addressPrefix } from "../../http-server/address-prefix.ts";

export class FairQueue<T> {
  /** Address prefix → its items, at least one; the prefix whose turn is next is first. */
  readonly #queues = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the number of items of an address's prefix. */
  sizeOf(address: string): number {
    return this.#queues.get(addressPrefix(address))?.length ?? 0;
  }

  push(item: T, address: string): void {
    const network = addressPrefix(address);
    const queue = this.#queues.get(network);
    if (queue === undefined) this.#queues.set(network, [item]);
    else queue.push(item);
    this.#size++;
  }

  /** Removes and returns the next item, of the prefix whose turn it is. */
  shift(): T | undefined {
    const [turn] = this.#queues;
    if (turn === undefined) return undefined;
    const [network, queue] = turn;
    const item = queue.shift();
    this.#queues.delete(network);
    if (queue.length > 0) this.#queues.set(network, queue);
    this.#size--;
    return item;
  }
}
