/**
 * A clock that stands still while this process works on what nodes have sent. Requests are hedged by it: if this
 * process is slow, no node is a straggler, and more requests would only add work.
 */

/** The share of the time for useless batches that does not count as waiting. An honest node may have to forward what
 *  liars have signed, but a node that sends nothing else must not keep this process busy for ever. */
const USELESS_SHARE = 0.75;

export class IdleClock {
  readonly #nowMs: () => number;
  #busyMs = 0;

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  readonly nowMs = (): number => this.#nowMs() - this.#busyMs;

  /**
   * Passes batches on. The time until the next one is requested is spent on a batch.
   *
   * @param wasUseful whether the batch was useful
   */
  async *watched<T>(batches: AsyncIterable<T>, wasUseful: () => boolean): AsyncGenerator<T, void, void> {
    for await (const batch of batches) {
      const startedMs = this.#nowMs();
      yield batch;
      this.#busyMs += (this.#nowMs() - startedMs) * (wasUseful() ? 1 : USELESS_SHARE);
    }
  }
}
