/** One request of {@link HedgedRequests}: it holds a slot for as long as its response brings useful bytes. */

export interface SlotBounds {
  /** At this rate of useful bytes a request keeps its slot. */
  readonly bytesPerSecondMin: number;
}

export class HedgedRequest {
  readonly #abort = new AbortController();
  readonly startedMs: number;
  readonly #bounds: SlotBounds;
  readonly #slotMs: number;
  #slotUntilMs: number;
  #isEvicted = false;
  #bytes = 0;

  /** @param slotMs how long it holds its slot without useful bytes */
  constructor(nowMs: number, slotMs: number, bounds: SlotBounds) {
    this.startedMs = nowMs;
    this.#bounds = bounds;
    this.#slotMs = slotMs;
    this.#slotUntilMs = nowMs + slotMs;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether it was aborted so that another request can start. */
  get isEvicted(): boolean {
    return this.#isEvicted;
  }

  /** Useful bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Credits useful bytes. They extend its slot, up to `slotMs` from now. */
  credit(bytes: number, nowMs: number): void {
    this.#bytes += bytes;
    const earnedMs = (1_000 * bytes) / this.#bounds.bytesPerSecondMin;
    this.#slotUntilMs = Math.min(Math.max(this.#slotUntilMs, nowMs) + earnedMs, nowMs + this.#slotMs);
  }

  holdsSlot(nowMs: number): boolean {
    return nowMs < this.#slotUntilMs;
  }

  evict(): void {
    this.#isEvicted = true;
    this.#abort.abort();
  }

  end(): void {
    this.#abort.abort();
  }
}
