/** Reads request bodies under bounds on the memory of all bodies, and of those of one address prefix. */

import type { IncomingMessage } from "node:http";
import { bodyChunksMax, bytesPerChunkMin } from "../limits/http-server.ts";
import { addressPrefix } from "./address-prefix.ts";
import { BodyError } from "./body-error.ts";
import { HeldBody } from "./held-body.ts";

const FIRST_BYTES = 4 * 1024;

export interface BodyBounds {
  /** The bound on all held bodies. */
  readonly bytesMax: number;
  readonly bytesPerPrefixMax: number;
}

export class BodyBudget {
  readonly #bounds: BodyBounds;
  /** The held bodies, the oldest first. */
  readonly #bodies = new Set<HeldBody>();
  readonly #bytesOfPrefix = new Map<string, number>();
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /**
   * Reads a whole body, which counts towards the bounds until it is released.
   *
   * @throws BodyError; the socket stays open for the response
   */
  async read(request: IncomingMessage, bytesMax: number): Promise<HeldBody> {
    const announced = Number(request.headers["content-length"] ?? 0);
    const tooLarge = () => new BodyError("too-large", `the request's body has more than ${bytesMax} bytes`);
    if (announced > bytesMax) throw tooLarge();
    const body = new HeldBody(addressPrefix(request.socket.remoteAddress ?? ""), (left) => {
      this.#add(left.prefix, -left.capacity);
      this.#bodies.delete(left);
    });
    this.#bodies.add(body);
    let chunks = 0;
    let dropped = 0;
    let isRefused = false;
    try {
      await new Promise<void>((resolve, reject) => {
        let isOver = false;
        const gone = () => {
          if (!isOver) reject(new BodyError("gone", "the connection ended within the request's body"));
        };
        body.drop = reject;
        // Chunks are copied as they arrive: a queue of chunks could hold one object for each byte.
        request.on("data", (chunk: Buffer) => {
          try {
            // The client has time to read the response, but not more: chunks of a byte cost more to receive than to send.
            if (body.isReleased && ++dropped > bodyChunksMax) request.socket.destroy();
            if (isRefused || body.isReleased) return;
            if (body.length + chunk.length > bytesMax) throw tooLarge();
            if (++chunks > bodyChunksMax && body.length < chunks * bytesPerChunkMin) throw fragmented();
            this.#reserve(body, body.length + chunk.length, Math.max(announced, 0));
            body.append(chunk);
          } catch (error) {
            isRefused = true;
            reject(error);
            // The response is sent before the connection is read further.
            request.socket.pause();
          }
        });
        request.once("close", gone).once("error", gone);
        request.once("end", () => {
          isOver = true;
          resolve();
        });
        if (request.destroyed) gone();
      });
      body.isWhole = true;
      return body;
    } catch (error) {
      // The data listener drops further chunks: a paused request would keep each of them as an object.
      body.release();
      throw error;
    }
  }

  #reserve(body: HeldBody, length: number, announced: number): void {
    if (length <= body.capacity) return;
    const doubled = Math.max(FIRST_BYTES, 2 * body.capacity, length);
    const capacity = announced >= length ? Math.min(doubled, announced) : doubled;
    const more = capacity - body.capacity;
    const { bytesMax, bytesPerPrefixMax } = this.#bounds;
    if (this.#bytesOf(body.prefix) + more > bytesPerPrefixMax) throw busy();
    while (this.#bytes + more > bytesMax) this.#makeRoom(body.prefix);
    this.#add(body.prefix, more);
    body.grow(capacity);
  }

  #add(prefix: string, bytes: number): void {
    this.#bytes += bytes;
    const left = this.#bytesOf(prefix) + bytes;
    if (left > 0) this.#bytesOfPrefix.set(prefix, left);
    else this.#bytesOfPrefix.delete(prefix);
  }

  /** Drops the largest unfinished body of the prefix that holds most, so that slow clients cannot exclude others. */
  #makeRoom(ownPrefix: string): void {
    const unfinished = [...this.#bodies].filter(({ isWhole, prefix }) => !isWhole && prefix !== ownPrefix);
    let [largest] = unfinished;
    for (const body of unfinished) {
      if (this.#weight(body) > this.#weight(largest ?? body)) largest = body;
    }
    if (largest === undefined || this.#bytesOf(largest.prefix) <= this.#bytesOf(ownPrefix)) throw busy();
    largest.drop(busy());
    largest.release();
  }

  /** Orders bodies by the bytes that their prefix holds, and those of one prefix by their own size. */
  #weight({ prefix, capacity }: HeldBody): number {
    return this.#bytesOf(prefix) * this.#bounds.bytesMax + capacity;
  }

  #bytesOf(prefix: string): number {
    return this.#bytesOfPrefix.get(prefix) ?? 0;
  }
}

function busy(): BodyError {
  return new BodyError("busy", "too many request bodies at once: try again later");
}

function fragmented(): BodyError {
  return new BodyError(
    "fragmented",
    `the request's body arrives in chunks of less than ${bytesPerChunkMin} bytes`,
  );
}
