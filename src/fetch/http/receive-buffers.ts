/**
 * Reusable memory that connections receive into. By default, each read allocates memory, which takes longer than the
 * read itself.
 */

import type { OnReadOpts, Socket } from "node:net";
import { receiveBufferBytes } from "../../limits/http.ts";

export class ReceiveBuffers {
  readonly #free: Buffer[] = [];
  readonly #own = new WeakMap<ArrayBufferLike, Buffer>();

  /** The option of `net.connect` that makes a socket receive into this memory. */
  get onread(): OnReadOpts {
    const take = () => this.#take();
    const free = this.#free;
    return {
      buffer: take,
      callback(this: Socket, bytes: number, memory: Uint8Array): boolean {
        if (bytes > memory.length / 2) return this.push(memory.subarray(0, bytes));
        // A few waiting bytes must not occupy a whole buffer.
        free.push(memory as Buffer);
        return this.push(Buffer.from(memory.subarray(0, bytes)));
      },
    };
  }

  /**
   * Yields the chunks of one response. The memory of a chunk is valid until the next one is requested.
   *
   * Chunks arrive in order, so a buffer is free once a chunk arrives in another one. The garbage collector frees the last
   * buffer, and all buffers of a response that ends early.
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
