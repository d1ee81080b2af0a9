/** The body of a request in one growing buffer, whose memory counts towards the bounds until it is released. */

import type { BodyError } from "./body-error.ts";

export class HeldBody {
  readonly prefix: string;
  readonly #onRelease: (body: HeldBody) => void;
  #buffer = Buffer.alloc(0);
  #length = 0;
  isWhole = false;
  isReleased = false;
  /** Ends the read with an error. */
  drop: (error: BodyError) => void = () => undefined;

  /** @param prefix the address prefix of its sender */
  constructor(prefix: string, onRelease: (body: HeldBody) => void) {
    this.prefix = prefix;
    this.#onRelease = onRelease;
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
    this.#onRelease(this);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }
}
