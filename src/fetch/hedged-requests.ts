/**
 * Requests to many nodes for the same thing, of which each node may hold a part. So many hold a place at a time. A
 * request that brings nothing useful for a while loses its place, and the next node is asked meanwhile (hedging); it goes
 * on until it ends, until enough is known, or until others need its socket. So no node, however slow, keeps others
 * from being asked.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { ActiveNode } from "../protocol/node.ts";

export interface HedgeBounds {
  /** Requests that hold a place; one more for each that has lost its own. */
  readonly placesMax: number;
  /** Requests under way. No more than half of them hold a place, so that the best stragglers go on. */
  readonly requestsMax: number;
  /** How long a request holds its place without bringing anything useful: at most, at least, and as a multiple of what
   *  others took as a whole. */
  readonly patienceMaxMs: number;
  readonly patienceMinMs: number;
  readonly patienceFactor: number;
  /** At this rate of useful bytes a request holds its place for as long as it likes. */
  readonly bytesPerSecondMin: number;
  readonly checkMs: number;
}

/** What the requests are for. */
export interface HedgedWork {
  /** The node to ask next, and whether it is worth ending a straggler for; `undefined` for none at the moment. */
  next(): { readonly node: ActiveNode; readonly isFirst: boolean } | undefined;
  /** Whether {@link next} may have another node, now or after a pause. */
  hasMore(): boolean;
  /** Asks one node, and never rejects but for a bug. */
  ask(node: ActiveNode, request: HedgedRequest): Promise<void>;
  isOver(): boolean;
  /** How long stragglers are waited for once there is nobody else to ask. */
  stragglersMs(): number;
}

export class HedgedRequest {
  readonly #abort = new AbortController();
  readonly startedMs: number;
  readonly #bounds: HedgeBounds;
  readonly #patienceMs: number;
  /** Until when it holds its place. */
  #placeUntilMs: number;
  #isEvicted = false;
  #bytes = 0;

  constructor(nowMs: number, patienceMs: number, bounds: HedgeBounds) {
    this.startedMs = nowMs;
    this.#bounds = bounds;
    this.#patienceMs = patienceMs;
    this.#placeUntilMs = nowMs + patienceMs;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether it was ended for the sake of another one. */
  get isEvicted(): boolean {
    return this.#isEvicted;
  }

  /** What it has brought so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Something useful has come: that buys time, and none to save up. */
  brought(bytes: number, nowMs: number): void {
    this.#bytes += bytes;
    const boughtMs = (1_000 * bytes) / this.#bounds.bytesPerSecondMin;
    this.#placeUntilMs = Math.min(Math.max(this.#placeUntilMs, nowMs) + boughtMs, nowMs + this.#patienceMs);
  }

  holdsPlace(nowMs: number): boolean {
    return nowMs < this.#placeUntilMs;
  }

  evict(): void {
    this.#isEvicted = true;
    this.#abort.abort();
  }

  end(): void {
    this.#abort.abort();
  }
}

export class HedgedRequests {
  readonly #work: HedgedWork;
  readonly #bounds: HedgeBounds;
  readonly #nowMs: () => number;
  /** In the order in which they began. */
  readonly #underWay = new Map<HedgedRequest, Promise<void>>();
  readonly #durationsMs: number[] = [];
  /** Since when there is nobody to wait for but stragglers. */
  #idleSinceMs: number | undefined;
  #failure: unknown;

  /** @param nowMs a clock, of which patience is measured */
  constructor(work: HedgedWork, bounds: HedgeBounds, nowMs: () => number) {
    this.#work = work;
    this.#bounds = bounds;
    this.#nowMs = nowMs;
  }

  /** Asks until nothing more is to be expected; then ends what is still under way. */
  async run(): Promise<void> {
    try {
      while (!this.#work.isOver() && !this.#isIdleTooLong()) {
        this.#fill();
        if (this.#underWay.size === 0 && !this.#work.hasMore()) return;
        await this.#change();
        if (this.#failure !== undefined) throw this.#failure;
      }
    } finally {
      for (const request of this.#underWay.keys()) request.end();
      await Promise.all(this.#underWay.values());
    }
  }

  #fill(): void {
    const nowMs = this.#nowMs();
    const stragglers = [...this.#underWay.keys()].filter((request) => !request.holdsPlace(nowMs));
    let holding = this.#underWay.size - stragglers.length;
    const placesMax = Math.min(this.#bounds.placesMax + stragglers.length, this.#bounds.requestsMax / 2);
    while (holding < placesMax) {
      const isFull = this.#underWay.size >= this.#bounds.requestsMax;
      if (isFull && stragglers.length === 0) return;
      const next = this.#work.next();
      if (next === undefined) return;
      if (isFull) this.#evictOne(stragglers);
      this.#start(next.node, nowMs);
      holding++;
    }
  }

  #start(node: ActiveNode, nowMs: number): void {
    const request = new HedgedRequest(nowMs, this.#patienceMs(), this.#bounds);
    const asked = this.#work
      .ask(node, request)
      .then(() => {
        if (!request.signal.aborted) this.#durationsMs.push(this.#nowMs() - request.startedMs);
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(request));
    this.#underWay.set(request, asked);
  }

  /** The one that has brought least: those that have brought most are the first to be done. */
  #evictOne(stragglers: HedgedRequest[]): void {
    const [least, ...others] = stragglers.toSorted((a, b) => a.bytes - b.bytes);
    if (least === undefined) return;
    stragglers.splice(0, stragglers.length, ...others);
    least.evict();
    this.#underWay.delete(least);
  }

  /** Twice what the middle one of the others took, so that those who are busy are not taken for slow. */
  #patienceMs(): number {
    const { patienceMaxMs, patienceMinMs, patienceFactor } = this.#bounds;
    const sorted = this.#durationsMs.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    if (median === undefined) return patienceMaxMs;
    return Math.min(Math.max(patienceFactor * median, patienceMinMs), patienceMaxMs);
  }

  #isIdleTooLong(): boolean {
    const nowMs = this.#nowMs();
    const isBusy =
      this.#work.hasMore() || [...this.#underWay.keys()].some((request) => request.holdsPlace(nowMs));
    if (isBusy || this.#underWay.size === 0) {
      this.#idleSinceMs = undefined;
      return false;
    }
    this.#idleSinceMs ??= nowMs;
    return nowMs - this.#idleSinceMs > this.#work.stragglersMs();
  }

  /** Until a request ends, or it is time to look for stragglers. */
  async #change(): Promise<void> {
    const looking = new AbortController();
    const check = pause(this.#bounds.checkMs, undefined, { signal: looking.signal }).catch(() => undefined);
    await Promise.race([check, ...this.#underWay.values()]);
    looking.abort();
  }
}
