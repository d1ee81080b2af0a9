/**
 * Hedged requests to many nodes for the same thing, of which each node may hold a part. A bounded number of requests
 * hold a slot. A request without useful bytes for a while is a straggler: it loses its slot, and the next node is
 * queried meanwhile. The straggler continues until it ends, until enough is known, or until another request needs its
 * socket. So no node, however slow, keeps others from being queried.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { ActiveNode } from "../../protocol/node.ts";
import { HedgedRequest, type SlotBounds } from "./hedged-request.ts";

export interface HedgeBounds extends SlotBounds {
  /** Requests that hold a slot; one more for each straggler. */
  readonly slotsMax: number;
  /** Requests in flight. No more than half of them hold a slot, so that the best stragglers continue. */
  readonly requestsMax: number;
  /** How long a request holds its slot without useful bytes: at most, at least, and as a multiple of the median
   *  duration of the others. */
  readonly hedgeMaxMs: number;
  readonly hedgeMinMs: number;
  readonly hedgeFactor: number;
  readonly checkMs: number;
}

/** What the requests are for. */
export interface HedgedWork {
  /** Returns the next node, and whether a straggler may be evicted for it; `undefined` if there is none now. */
  next(): { readonly node: ActiveNode; readonly isFirst: boolean } | undefined;
  /** Returns whether {@link next} may return another node, now or after a pause. */
  hasMore(): boolean;
  /** Queries one node. It rejects only for a bug. */
  request(node: ActiveNode, request: HedgedRequest): Promise<void>;
  isOver(): boolean;
  /** Returns how long stragglers may continue once no other node is left. */
  stragglersMs(): number;
}

export class HedgedRequests {
  readonly #work: HedgedWork;
  readonly #bounds: HedgeBounds;
  readonly #nowMs: () => number;
  /** In the order of their start. */
  readonly #underWay = new Map<HedgedRequest, Promise<void>>();
  readonly #durationsMs: number[] = [];
  /** Since when only stragglers are under way. */
  #idleSinceMs: number | undefined;
  #failure: unknown;

  /** @param nowMs the clock by which slots expire */
  constructor(work: HedgedWork, bounds: HedgeBounds, nowMs: () => number) {
    this.#work = work;
    this.#bounds = bounds;
    this.#nowMs = nowMs;
  }

  /** Queries nodes until nothing more is expected. Then it ends the requests that are under way. */
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
    const stragglers = [...this.#underWay.keys()].filter((request) => !request.holdsSlot(nowMs));
    let holding = this.#underWay.size - stragglers.length;
    const slotsMax = Math.min(this.#bounds.slotsMax + stragglers.length, this.#bounds.requestsMax / 2);
    while (holding < slotsMax) {
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
    const request = new HedgedRequest(nowMs, this.#slotMs(), this.#bounds);
    const ended = this.#work
      .request(node, request)
      .then(() => {
        if (!request.signal.aborted) this.#durationsMs.push(this.#nowMs() - request.startedMs);
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(request));
    this.#underWay.set(request, ended);
  }

  /** Evicts the straggler with the fewest useful bytes: those with the most are the first to end. */
  #evictOne(stragglers: HedgedRequest[]): void {
    const [least, ...others] = stragglers.toSorted((a, b) => a.bytes - b.bytes);
    if (least === undefined) return;
    stragglers.splice(0, stragglers.length, ...others);
    least.evict();
    this.#underWay.delete(least);
  }

  /** Returns a multiple of the median duration, so that a busy node is not taken for a slow one. */
  #slotMs(): number {
    const { hedgeMaxMs, hedgeMinMs, hedgeFactor } = this.#bounds;
    const sorted = this.#durationsMs.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    if (median === undefined) return hedgeMaxMs;
    return Math.min(Math.max(hedgeFactor * median, hedgeMinMs), hedgeMaxMs);
  }

  #isIdleTooLong(): boolean {
    const nowMs = this.#nowMs();
    const isBusy =
      this.#work.hasMore() || [...this.#underWay.keys()].some((request) => request.holdsSlot(nowMs));
    if (isBusy || this.#underWay.size === 0) {
      this.#idleSinceMs = undefined;
      return false;
    }
    this.#idleSinceMs ??= nowMs;
    return nowMs - this.#idleSinceMs > this.#work.stragglersMs();
  }

  /** Waits until a request ends, or until it is time to check for stragglers. */
  async #change(): Promise<void> {
    const checking = new AbortController();
    const check = pause(this.#bounds.checkMs, undefined, { signal: checking.signal }).catch(() => undefined);
    await Promise.race([check, ...this.#underWay.values()]);
    checking.abort();
  }
}
