/** How many partial snapshots a validator sends at once: each has files open, and takes its share of the time. */

import { addressPrefix } from "../../http-server/address-prefix.ts";
import { snapshotResponsesMax, snapshotResponsesPerAddressMax } from "../limits.ts";
import { HttpError } from "./http-error.ts";

const retryAfterSeconds = 1;

export class ResponseSlots {
  readonly #ofAddress = new Map<string, number>();
  #count = 0;

  /** @throws HttpError with status 429 where the address has too many, 503 where all together have */
  async use(from: string, answer: () => Promise<void>): Promise<void> {
    const address = addressPrefix(from);
    const ofAddress = this.#ofAddress.get(address) ?? 0;
    if (ofAddress >= snapshotResponsesPerAddressMax) {
      throw new HttpError(429, `${ofAddress} snapshots are being sent to ${address}`, { retryAfterSeconds });
    }
    if (this.#count >= snapshotResponsesMax) {
      throw new HttpError(503, `${this.#count} snapshots are being sent`, { retryAfterSeconds });
    }
    this.#ofAddress.set(address, ofAddress + 1);
    this.#count++;
    try {
      await answer();
    } finally {
      this.#count--;
      const left = (this.#ofAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    }
  }
}
