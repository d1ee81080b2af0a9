/** Bounds the long responses that a server sends concurrently, since each holds files and uses CPU time. */

import { addressPrefix } from "./address-prefix.ts";
import { HttpError } from "./http-error.ts";

const retryAfterSeconds = 1;

export interface SlotBounds {
  readonly responsesMax: number;
  readonly responsesPerPrefixMax: number;
}

export class ResponseSlots {
  readonly #bounds: SlotBounds;
  readonly #byPrefix = new Map<string, number>();
  #count = 0;

  constructor(bounds: SlotBounds) {
    this.#bounds = bounds;
  }

  /**
   * Takes a slot of the client's address prefix. Call what it returns at the end of the response.
   *
   * @throws HttpError with status 429 where the prefix has too many responses, 503 where all together have
   */
  take(from: string): () => void {
    const prefix = addressPrefix(from);
    const ofPrefix = this.#byPrefix.get(prefix) ?? 0;
    if (ofPrefix >= this.#bounds.responsesPerPrefixMax) {
      throw new HttpError(429, `${ofPrefix} snapshots are being sent to ${prefix}`, { retryAfterSeconds });
    }
    if (this.#count >= this.#bounds.responsesMax) {
      throw new HttpError(503, `${this.#count} snapshots are being sent`, { retryAfterSeconds });
    }
    this.#byPrefix.set(prefix, ofPrefix + 1);
    this.#count++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#count--;
      const left = (this.#byPrefix.get(prefix) ?? 1) - 1;
      if (left > 0) this.#byPrefix.set(prefix, left);
      else this.#byPrefix.delete(prefix);
    };
  }

  /**
   * Runs `respond` in a slot of the client's address prefix.
   *
   * @throws HttpError as {@link take}
   */
  async use(from: string, respond: () => Promise<void>): Promise<void> {
    const release = this.take(from);
    try {
      await respond();
    } finally {
      release();
    }
  }
}
