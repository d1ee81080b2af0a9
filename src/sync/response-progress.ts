/** How far one response is: its bytes, and how long we waited for them. Time comes in from outside. */

import type { ResponseSoFar } from "./throughput.ts";

export class ResponseProgress {
  #bytes = 0;
  #firstByteMs: number | undefined;
  /** Waits that are over. */
  #waitedMs = 0;
  /** `undefined` while we work on what has come. */
  #waitingSinceMs: number | undefined;

  constructor(nowMs: number) {
    this.#waitingSinceMs = nowMs;
  }

  /** A chunk has come: until {@link waiting}, time is ours. */
  received(bytes: number, nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) this.#waitedMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
    this.#firstByteMs ??= this.#waitedMs;
    this.#bytes += bytes;
  }

  /** We are done with the chunk, and wait for the next. */
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
