/**
 * Reads the bodies of requests. Each is one growing buffer, however small the chunks are in which it comes; all
 * of them together, and those of one address prefix, are bounded by the memory that they take up.
 */

import type { IncomingMessage } from "node:http";
import { bodyChunksMax, bytesPerChunkMin } from "../limits/limits.ts";
import { addressPrefix } from "./address-prefix.ts";

const FIRST_BYTES = 4 * 1024;

export type BodyProblem = "too-large" | "fragmented" | "busy" | "gone";

export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly problem: BodyProblem;

  constructor(problem: BodyProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

export interface BodyBounds {
  /** All bodies that are held at once. */
  readonly bytesMax: number;
  readonly bytesPerPrefixMax: number;
}

export class BodyBudget {
  readonly #bounds: BodyBounds;
  /** Bodies that are held, the oldest first. */
  readonly #bodies = new Set<HeldBody>();
  readonly #bytesOfPrefix = new Map<string, number>();
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /**
   * Reads a body whole. It counts until it is released.
   *
   * @throws BodyError; the socket lives on for the answer
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
          if (!isOver) reject(new BodyError("gone", "the request's body ends before its end"));
        };
        body.drop = reject;
        // Listened to as it comes: a queue of chunks would hold an object for each byte.
        request.on("data", (chunk: Buffer) => {
          try {
            // Time for the answer to be read, and no more: chunks of a byte cost more to receive than to send.
            if (body.isReleased && ++dropped > bodyChunksMax) request.socket.destroy();
            if (isRefused || body.isReleased) return;
            if (body.length + chunk.length > bytesMax) throw tooLarge();
            if (++chunks > bodyChunksMax && body.length < chunks * bytesPerChunkMin) throw fragmented();
            this.#reserve(body, body.length + chunk.length, Math.max(announced, 0));
            body.append(chunk);
          } catch (error) {
            isRefused = true;
            reject(error);
            // The answer comes first: what has been received meanwhile waits.
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
      // What still comes is dropped: a paused request would keep each chunk as an object, however small.
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

  /** Drops the largest unfinished body of whoever holds most: those who send slowly must not keep others out. */
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

  /** Prefixes by what they hold, and bodies of one of them by their own size. */
  #weight({ prefix, capacity }: HeldBody): number {
    return this.#bytesOf(prefix) * this.#bounds.bytesMax + capacity;
  }

  #bytesOf(prefix: string): number {
    return this.#bytesOfPrefix.get(prefix) ?? 0;
  }
}

/** A body, and the memory that it takes up until it is released. */
export class HeldBody {
  readonly prefix: string;
  readonly #released: (body: HeldBody) => void;
  #buffer = Buffer.alloc(0);
  #length = 0;
  isWhole = false;
  isReleased = false;
  /** Gives it up while it is still being read. */
  drop: (error: BodyError) => void = () => undefined;

  constructor(prefix: string, released: (body: HeldBody) => void) {
    this.prefix = prefix;
    this.#released = released;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  grow(capacity: number): void {
    const larger = Buffer.allocUnsafe(capacity);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  append(chunk: Buffer): void {
    chunk.copy(this.#buffer, this.#length);
    this.#length += chunk.length;
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.#released(this);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }
}

function busy(): BodyError {
  return new BodyError("busy", "too much is being pushed at once");
}

function fragmented(): BodyError {
  return new BodyError(
    "fragmented",
    `the request's body comes in chunks of less than ${bytesPerChunkMin} bytes`,
  );
}
