/**
 * A clock that stands still while we are busy with what others have sent. Patience is measured by it: where we are the
 * slow ones, nobody else is late, and to ask more nodes would only make it worse.
 */

/** Of the time that goes into what was worth nothing: an honest node may have to pass on what liars have signed, but
 *  whoever sends nothing else must not keep us busy for ever. */
const WORTHLESS_SHARE = 0.75;

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
   * @param wasWorthIt whether that was worth it
   */
  async *watched(
    chunks: AsyncIterable<Buffer>,
    wasWorthIt: () => boolean,
  ): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      const startedMs = this.#nowMs();
      yield chunk;
      this.#busyMs += (this.#nowMs() - startedMs) * (wasWorthIt() ? 1 : WORTHLESS_SHARE);
    }
  }
}
