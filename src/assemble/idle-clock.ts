/**
 * A clock that stands still while we are busy with what others have sent. Patience is measured by it: where we are the
 * slow ones, nobody else is late, and to ask more nodes would only make it worse.
 */

export class IdleClock {
  readonly #nowMs: () => number;
  #busyMs = 0;

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  readonly nowMs = (): number => this.#nowMs() - this.#busyMs;

  /**
   * Passes chunks on. The time until the next one is asked for is spent on a chunk.
   *
   * @param wasWorthIt whether that time went into something that was worth it, so that it is not the sender's
   */
  async *watched(
    chunks: AsyncIterable<Buffer>,
    wasWorthIt: () => boolean,
  ): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      const startedMs = this.#nowMs();
      yield chunk;
      if (wasWorthIt()) this.#busyMs += this.#nowMs() - startedMs;
    }
  }
}
