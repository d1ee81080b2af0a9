/** Bounds the partial snapshots that a validator sends concurrently, since each holds files and uses CPU time. */

import { addressPrefix } from "../../http-server/address-prefix.ts";
import { snapshotResponsesMax, snapshotResponsesPerAddressMax } from "../limits.ts";
import { HttpError } from "./http-error.ts";

const retryAfterSeconds = 1;

export class ResponseSlots {
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  /**
   * Runs `respond` in a slot of the client's address.
   *
   * @throws HttpError with status 429 where the address has too many responses, 503 where all addresses together have
   */
  async use(from: string, respond: () => Promise<void>): Promise<void> {
    const address = addressPrefix(from);
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress >= snapshotResponsesPerAddressMax) {
      throw new HttpError(429, `${ofAddress} snapshots are being sent to ${address}`, { retryAfterSeconds });
    }
    if (this.#count >= snapshotResponsesMax) {
      throw new HttpError(503, `${this.#count} snapshots are being sent`, { retryAfterSeconds });
    }
    this.#byAddress.set(address, ofAddress + 1);
    this.#count++;
    try {
      await respond();
    } finally {
      this.#count--;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    }
  }
}
