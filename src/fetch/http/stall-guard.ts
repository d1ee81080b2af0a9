/**
 * Detects a response that is too slow. undici's body timeout ends a silent response, but a node that sends single bytes
 * resets that timeout. Only time spent waiting for the node counts: a slow local disk is not the node's fault.
 */

import { FetchError } from "../../errors/fetch-error.ts";
import { bytesPerSecondMin } from "../../limits/http.ts";
import { counted } from "../../text/counted.ts";

export class StallGuard {
  readonly #windowMs: number;
  readonly #nowMs: () => number;
  #waitingSinceMs = 0;
  #waitedMs = 0;
  #bytes = 0;

  constructor(windowMs: number, nowMs: () => number = () => performance.now()) {
    this.#windowMs = windowMs;
    this.#nowMs = nowMs;
  }

  startWaiting(): void {
    this.#waitingSinceMs = this.#nowMs();
  }

  /**
   * Counts bytes that have arrived.
   *
   * @throws FetchError `stalled` if too few bytes arrived in a window of waiting
   */
  received(bytes: number): void {
    this.#waitedMs += this.#nowMs() - this.#waitingSinceMs;
    this.#bytes += bytes;
    if (this.#waitedMs < this.#windowMs) return;
    const enough = (bytesPerSecondMin * this.#waitedMs) / 1000;
    if (this.#bytes < enough) {
      const seconds = Math.round(this.#waitedMs / 1000);
      throw new FetchError("stalled", `only ${counted(this.#bytes, "byte")} in ${seconds} s of waiting`);
    }
    this.#waitedMs = 0;
    this.#bytes = 0;
  }
}
