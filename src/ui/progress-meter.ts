/**
 * Computes the rate of a run, the time left, and the nodes that it waits for. Pure: each call gives the time.
 */

import type { Progress } from "../events/assemble-events.ts";

/** The rate covers this period: long enough to be steady, short enough to show a stall. */
const windowMs = 10_000;
/** Samples closer than this are merged, since every chunk reports progress. */
const sampleMs = 250;
/** After this time without a byte, the run waits for nodes. */
const silentMs = 2_000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class ProgressMeter {
  /** Oldest first. The first one is at most one window old, or the last before the window. */
  readonly #samples: Sample[] = [];
  /** Node ID → the time at which its running request began. */
  readonly #requested = new Map<string, number>();
  #progress: Progress | undefined;
  #fetchingSinceMs: number | undefined;
  /** Partitions that no node had to send, resumed or empty ones. They do not predict the time of the others. */
  #verifiedBefore = 0;
  #lastByteMs = 0;

  get progress(): Progress | undefined {
    return this.#progress;
  }

  update(progress: Progress, nowMs: number): void {
    const bytesBefore = this.#progress?.bytes.received ?? 0;
    if (progress.bytes.received > bytesBefore) this.#lastByteMs = nowMs;
    if (this.#fetchingSinceMs === undefined) {
      if (progress.bytes.received === 0) this.#verifiedBefore = progress.partitions.verified;
      else this.#fetchingSinceMs = nowMs;
    }
    this.#progress = progress;
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < sampleMs) return;
    this.#samples.push({ atMs: nowMs, bytes: progress.bytes.received });
    while ((this.#samples[1]?.atMs ?? nowMs) < nowMs - windowMs) this.#samples.shift();
  }

  /** Records that a request to a node has begun. */
  requested(node: string, nowMs: number): void {
    this.#requested.set(node, nowMs);
  }

  /** Records that the response of a node has ended. */
  ended(node: string): void {
    this.#requested.delete(node);
  }

  /** Returns bytes per second over the last seconds; `undefined` before the first measurement. */
  rate(nowMs: number): number | undefined {
    if (this.#progress === undefined) return undefined;
    if (nowMs - this.#lastByteMs > windowMs) return this.#progress.bytes.received > 0 ? 0 : undefined;
    const first = this.#samples.find(({ atMs }) => atMs >= nowMs - windowMs);
    if (first === undefined || nowMs - first.atMs < sampleMs) return undefined;
    return ((this.#progress.bytes.received - first.bytes) * 1_000) / (nowMs - first.atMs);
  }

  /** Returns the time left, estimated from the partitions that this run has fetched; `undefined` before the first. */
  leftMs(nowMs: number): number | undefined {
    if (this.#progress === undefined || this.#fetchingSinceMs === undefined) return undefined;
    const { total, verified } = this.#progress.partitions;
    const ofThisRun = verified - this.#verifiedBefore;
    if (ofThisRun <= 0) return undefined;
    return ((nowMs - this.#fetchingSinceMs) / ofThisRun) * (total - verified);
  }

  /** Returns the nodes with running requests, the longest first, if no byte has come for a while. */
  waitingFor(nowMs: number): { readonly node: string; readonly sinceMs: number }[] {
    if (this.#requested.size === 0 || nowMs - Math.max(this.#lastByteMs, this.#lastRequestMs()) < silentMs)
      return [];
    return [...this.#requested]
      .map(([node, requestedMs]) => ({ node, sinceMs: nowMs - requestedMs }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
  }

  #lastRequestMs(): number {
    return Math.max(...this.#requested.values());
  }
}
