/**
 * What a person wants to know of a run under way: how fast bytes come now, how long it still takes, and which nodes
 * keep it waiting. Pure: the clock comes in with each call.
 */

import type { Progress } from "../events/assemble-events.ts";

/** The rate is that of the last seconds: long enough to be steady, short enough to show a stall. */
const windowMs = 10_000;
/** Two samples closer than this count as one: progress comes with every chunk. */
const sampleMs = 250;
/** Without a byte for so long, the run waits. */
const silentMs = 2_000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class ProgressMeter {
  /** Oldest first; the first one is at most one window old, or the last before the window. */
  readonly #samples: Sample[] = [];
  /** Node ID → since when its response is under way. */
  readonly #asked = new Map<string, number>();
  #progress: Progress | undefined;
  #fetchingSinceMs: number | undefined;
  /** Partitions that an earlier run left, or that are empty: they say nothing about the time that others take. */
  #verifiedBefore = 0;
  #lastByteMs = 0;

  get progress(): Progress | undefined {
    return this.#progress;
  }

  update(progress: Progress, nowMs: number): void {
    const bytesBefore = this.#progress?.bytesReceived ?? 0;
    if (progress.bytesReceived > bytesBefore) this.#lastByteMs = nowMs;
    if (this.#fetchingSinceMs === undefined) {
      if (progress.bytesReceived === 0) this.#verifiedBefore = progress.partitions.verified;
      else this.#fetchingSinceMs = nowMs;
    }
    this.#progress = progress;
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < sampleMs) return;
    this.#samples.push({ atMs: nowMs, bytes: progress.bytesReceived });
    while ((this.#samples[1]?.atMs ?? nowMs) < nowMs - windowMs) this.#samples.shift();
  }

  /** A request to a node has begun. */
  asked(node: string, nowMs: number): void {
    this.#asked.set(node, nowMs);
  }

  /** A node's response is over. */
  answered(node: string): void {
    this.#asked.delete(node);
  }

  /** Bytes a second over the last seconds; `undefined` before there is anything to measure. */
  rate(nowMs: number): number | undefined {
    if (this.#progress === undefined) return undefined;
    if (nowMs - this.#lastByteMs > windowMs) return this.#progress.bytesReceived > 0 ? 0 : undefined;
    const first = this.#samples.find(({ atMs }) => atMs >= nowMs - windowMs);
    if (first === undefined || nowMs - first.atMs < sampleMs) return undefined;
    return ((this.#progress.bytesReceived - first.bytes) * 1_000) / (nowMs - first.atMs);
  }

  /** Milliseconds, by the partitions that this run has verified so far; `undefined` before the first one. */
  leftMs(nowMs: number): number | undefined {
    if (this.#progress === undefined || this.#fetchingSinceMs === undefined) return undefined;
    const { total, verified } = this.#progress.partitions;
    const ofThisRun = verified - this.#verifiedBefore;
    if (ofThisRun <= 0) return undefined;
    return ((nowMs - this.#fetchingSinceMs) / ofThisRun) * (total - verified);
  }

  /** The nodes whose responses are under way, the longest first, where nothing has come for a while. */
  waitingFor(nowMs: number): { readonly node: string; readonly sinceMs: number }[] {
    if (this.#asked.size === 0 || nowMs - Math.max(this.#lastByteMs, this.#lastAskedMs()) < silentMs)
      return [];
    return [...this.#asked]
      .map(([node, askedMs]) => ({ node, sinceMs: nowMs - askedMs }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
  }

  #lastAskedMs(): number {
    return Math.max(...this.#asked.values());
  }
}
