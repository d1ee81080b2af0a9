/**
 * A queue in which every address has its turn: whoever puts very much into it waits for himself.
 *
 * It goes by address and not by sender: anybody can claim to be any sender, and must not be able to have that
 * sender's own messages put off.
 */

import { addressPrefix } from "../../http-server/address-prefix.ts";

export class FairQueue<T> {
  /** Address → what waits, none of them empty; the address whose turn it is first. */
  readonly #queues = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many wait that came from there. */
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

  /** The next one, of the address whose turn it is. */
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
