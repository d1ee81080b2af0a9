/** The progress of one response: its bytes, and how long the run waited for them. */

import type { ResponseSoFar } from "../peers/throughput.ts";

export class ResponseProgress {
  #bytes = 0;
  #firstByteMs: number | undefined;
  /** The sum of all waits that are over. */
  #waitedMs = 0;
  /** `undefined` while the run processes a chunk. */
  #waitingSinceMs: number | undefined;

  constructor(nowMs: number) {
    this.#waitingSinceMs = nowMs;
  }

  /** A chunk has arrived: until {@link waiting}, time is not the peer's. */
  received(bytes: number, nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) this.#waitedMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
    this.#firstByteMs ??= this.#waitedMs;
    this.#bytes += bytes;
  }

  /** The chunk is processed, and the run waits for the next one. */
  waiting(nowMs: number): void {
    this.#waitingSinceMs ??= nowMs;
  }

  at(nowMs: number): ResponseSoFar {
    const silentMs = this.#waitingSinceMs === undefined ? 0 : nowMs - this.#waitingSinceMs;
    const waitedMs = this.#waitedMs + silentMs;
    const firstByteMs = this.#firstByteMs ?? waitedMs;
    return { firstByteMs, bytes: this.#bytes, bytesMs: waitedMs - firstByteMs, silentMs };
  }
}
