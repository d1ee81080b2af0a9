/**
 * The memory that connections receive into. By default each read gets memory of its own, which costs more than
 * the read itself; here it is used again as soon as what came in it was used up.
 */

import type { OnReadOpts, Socket } from "node:net";
import { receiveBufferBytes } from "../../limits/http.ts";

export class ReceiveBuffers {
  readonly #free: Buffer[] = [];
  readonly #own = new WeakMap<ArrayBufferLike, Buffer>();

  /** What a socket is to be made with (`net.connect`) to receive into this memory. */
  get onread(): OnReadOpts {
    const take = () => this.#take();
    const free = this.#free;
    return {
      buffer: take,
      callback(this: Socket, bytes: number, memory: Uint8Array): boolean {
        if (bytes > memory.length / 2) return this.push(memory.subarray(0, bytes));
        // A few bytes must not hold all of the memory, however long they wait.
        free.push(memory as Buffer);
        return this.push(Buffer.from(memory.subarray(0, bytes)));
      },
    };
  }

  /**
   * The chunks of one answer. The memory of a chunk is good until the next one is asked for.
   *
   * What comes over a connection is read in order: once there is a chunk in other memory, nothing is left in
   * the memory before. The last one is left to the garbage collector, and so is all of an answer that ends early.
   */
  async *reusing(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    let last: Buffer | undefined;
    for await (const chunk of chunks) {
      const memory = this.#own.get(chunk.buffer);
      if (last !== undefined && memory !== last) this.#free.push(last);
      last = memory;
      yield chunk;
    }
  }

  #take(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const buffer = Buffer.allocUnsafeSlow(receiveBufferBytes);
    this.#own.set(buffer.buffer, buffer);
    return buffer;
  }
}
