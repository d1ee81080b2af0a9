/** Watches one answer come: how many bytes there are so far, and how long we have waited for them. */

import type { AnswerSoFar } from "./throughput.ts";

export class ResponseProgress {
  readonly #nowMs: () => number;
  #bytes = 0;
  #firstByteMs: number | undefined;
  /** Waits that are over. */
  #waitedMs = 0;
  /** `undefined` while we are busy with what has come. */
  #waitingSinceMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#waitingSinceMs = nowMs();
  }

  /** Passes an answer on, decompressed, and notes when each of its chunks came. */
  async *watched(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      this.#received(chunk.length);
      yield chunk;
      this.#waitingSinceMs = this.#nowMs();
    }
    this.#stopWaiting();
  }

  get soFar(): AnswerSoFar {
    const silentMs = this.#waitingSinceMs === undefined ? 0 : this.#nowMs() - this.#waitingSinceMs;
    const waitedMs = this.#waitedMs + silentMs;
    const firstByteMs = this.#firstByteMs ?? waitedMs;
    return { firstByteMs, bytes: this.#bytes, bytesMs: waitedMs - firstByteMs, silentMs };
  }

  #received(bytes: number): void {
    this.#stopWaiting();
    this.#firstByteMs ??= this.#waitedMs;
    this.#bytes += bytes;
  }

  #stopWaiting(): void {
    if (this.#waitingSinceMs !== undefined) this.#waitedMs += this.#nowMs() - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
  }
}
