/**
 * What hedging remembers of a run: which peer was requested for which partition, and how much longer than usual a
 * response may take before it straggles (docs/decisions/0012).
 */

import { hedgeBackoffMax, stragglerUnmeasuredMs } from "../../limits/sync.ts";
import type { Partition, PeerIndex } from "../../protocol/brands.ts";

const none: ReadonlySet<never> = new Set<never>();

export class HedgeHistory {
  readonly #requested = new Map<PeerIndex, Set<Partition>>();
  readonly #yielded = new Set<Partition>();
  #backoff = 1;
  /** When the backoff last changed; `undefined` before the first query. */
  #sinceMs: number | undefined;

  /** The factor of the time after which a response straggles. */
  get backoff(): number {
    return this.#backoff;
  }

  /** Returns the partitions that a peer was requested for, and is not hedged with. */
  requestedOf(peer: PeerIndex): ReadonlySet<Partition> {
    return this.#requested.get(peer) ?? none;
  }

  /** Partitions whose stragglers have yielded their place to others that waited for one. */
  get yielded(): ReadonlySet<Partition> {
    return this.#yielded;
  }

  yieldPlace(partitions: Iterable<Partition>): void {
    for (const partition of partitions) this.#yielded.add(partition);
  }

  note(peer: PeerIndex, partition: Partition): void {
    const requested = this.#requested.get(peer);
    if (requested === undefined) this.#requested.set(peer, new Set([partition]));
    else requested.add(partition);
  }

  /** A query begins. */
  begin(atMs: number): void {
    this.#sinceMs ??= atMs;
  }

  isBackoffDue(nowMs: number): boolean {
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs >= this.#backoff * stragglerUnmeasuredMs;
  }

  /**
   * Every peer was requested for these partitions: each may be requested again, and gets twice the time.
   *
   * @param isBounded whether the time stays below a bound: the straggler continues beside its hedges
   */
  backOff(partitions: ReadonlySet<Partition>, isBounded: boolean, atMs: number): void {
    this.#backoff = Math.min(isBounded ? hedgeBackoffMax : Number.POSITIVE_INFINITY, 2 * this.#backoff);
    this.#sinceMs = atMs;
    for (const requested of this.#requested.values())
      for (const partition of partitions) requested.delete(partition);
    for (const partition of partitions) this.#yielded.delete(partition);
  }

  /** Every peer may be hedged with every partition again. */
  forgetRequests(): void {
    this.#requested.clear();
  }

  resetBackoff(atMs: number): void {
    this.#backoff = 1;
    this.#sinceMs = atMs;
  }
}
