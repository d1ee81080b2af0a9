/**
 * How fast peers have responded in this run, and so which peer is queried first and which one straggles
 * (docs/decisions/0012). Only the time counts in which we waited for a peer: our own hashing and our slow disk are not
 * its fault. Times come in from outside.
 */

import {
  lengthFactor,
  paceMarginMs,
  speedSampleBytes,
  speedSmoothing,
  speedsCompared,
  stragglerAfterMs,
  stragglerFactor,
  stragglerUnmeasuredMs,
  unmeasuredBytesPerSecond,
} from "../../limits/sync.ts";
import type { PeerIndex } from "../../protocol/brands.ts";

/** One response, or as much of it as there is so far. */
export interface SpeedSample {
  /** Until the first byte; until now, where there was none. */
  readonly firstByteMs: number;
  readonly bytes: number;
  /** Waited for all bytes but the first. */
  readonly bytesMs: number;
}

/** A response under way. */
export interface ResponseSoFar extends SpeedSample {
  /** Waited since the last byte. */
  readonly silentMs: number;
}

interface Speed {
  readonly firstByteMs: number;
  /** `undefined` where no response was long enough to tell. */
  readonly msPerByte: number | undefined;
}

interface Compared extends Speed {
  readonly bytes: number;
}

interface Measured extends Compared {
  readonly nodeIndex: PeerIndex;
}

const leastStragglerMs = Math.min(stragglerAfterMs, stragglerUnmeasuredMs);

const unmeasuredMsPerByte = 1000 / unmeasuredBytesPerSecond;

export class Throughput {
  readonly #speeds = new Map<PeerIndex, Speed>();
  /** The newest responses, which others are compared with. */
  readonly #recent: Measured[] = [];
  #isEven: boolean | undefined;
  #usual: { readonly bytes: number; readonly leastMs: number; readonly medianMs: number } | undefined;

  /** Notes a response; the newer ones of a peer count for more. */
  note(nodeIndex: PeerIndex, sample: SpeedSample): void {
    const now = speedOf(sample);
    const before = this.#speeds.get(nodeIndex);
    const speed = {
      firstByteMs: smoothed(before?.firstByteMs, now.firstByteMs),
      msPerByte: now.msPerByte === undefined ? before?.msPerByte : smoothed(before?.msPerByte, now.msPerByte),
    };
    this.#speeds.set(nodeIndex, speed);
    if (this.#recent.push({ ...speed, nodeIndex, bytes: sample.bytes }) > speedsCompared)
      this.#recent.shift();
    const bytes = this.#recent.reduce((sum, recent) => sum + recent.bytes, 0) / this.#recent.length;
    const times = this.#recent.map((recent) => expectedMs(recent, bytes));
    this.#isEven = undefined;
    this.#usual = { bytes, leastMs: Math.min(...times), medianMs: median(times) };
  }

  /** Whether all paces are 0. */
  get isEven(): boolean {
    this.#isEven ??= [...this.#speeds.values(), undefined].every((speed) => this.#paceOf(speed) === 0);
    return this.#isEven;
  }

  /**
   * How many times a node needs twice as long as the fastest one, for a response of the usual length: nodes of
   * a greater pace are queried later. 0 for all where they are about equal, or nothing is measured; what is not
   * measured is taken to be as most are.
   */
  pace(nodeIndex: PeerIndex): number {
    return this.#paceOf(this.#speeds.get(nodeIndex));
  }

  #paceOf(measured: Speed | undefined): number {
    if (this.#usual === undefined) return 0;
    const { bytes, leastMs, medianMs } = this.#usual;
    const ownMs = measured === undefined ? medianMs : expectedMs(measured, bytes);
    return Math.max(0, Math.floor(Math.log2((ownMs + paceMarginMs) / (leastMs + paceMarginMs))));
  }

  /**
   * Whether a response makes us wait so much longer than those of other peers that a hedge is worth its bytes.
   * Bytes do not buy time without end: what exceeds the responses that it is compared with does not count.
   *
   * @param others responses under way at the same time: what slows all of them down makes none a straggler
   * @param backoff how many times longer than usual is waited
   */
  isStraggling(
    nodeIndex: PeerIndex,
    response: ResponseSoFar,
    others: readonly SpeedSample[],
    backoff = 1,
  ): boolean {
    const waitedMs = response.firstByteMs + response.bytesMs;
    // Most responses end before any bound.
    if (Math.max(waitedMs, response.silentMs) <= backoff * leastStragglerMs) return false;
    const compared: Compared[] = this.#recent.filter((recent) => recent.nodeIndex !== nodeIndex);
    const underWay = others.filter(({ bytes }) => bytes > 0);
    compared.push(...underWay.map((other) => ({ ...speedOf(other), bytes: other.bytes })));
    if (compared.length === 0) {
      const slowestMs = response.bytes * unmeasuredMsPerByte;
      return (
        response.silentMs > backoff * stragglerUnmeasuredMs ||
        waitedMs > backoff * (stragglerUnmeasuredMs + slowestMs)
      );
    }
    const firstByteMs = median(compared.map((speed) => speed.firstByteMs));
    if (response.silentMs > backoff * (stragglerAfterMs + stragglerFactor * firstByteMs)) return true;
    const rates = compared.flatMap(({ msPerByte }) => (msPerByte === undefined ? [] : [msPerByte]));
    // Where none was long enough to have a rate of its own, the slowest one is taken that passes unmeasured.
    const msPerByte = rates.length === 0 ? unmeasuredMsPerByte : median(rates);
    const longest = Math.max(...compared.map(({ bytes }) => bytes));
    const counted = Math.min(response.bytes, lengthFactor * longest + speedSampleBytes);
    return waitedMs > backoff * (stragglerAfterMs + stragglerFactor * (firstByteMs + counted * msPerByte));
  }
}

function speedOf({ firstByteMs, bytes, bytesMs }: SpeedSample): Speed {
  return { firstByteMs, msPerByte: bytes < speedSampleBytes ? undefined : bytesMs / bytes };
}

function expectedMs({ firstByteMs, msPerByte }: Speed, bytes: number): number {
  return firstByteMs + bytes * (msPerByte ?? 0);
}

function smoothed(before: number | undefined, now: number): number {
  return before === undefined ? now : before + speedSmoothing * (now - before);
}

/** The lower one of the two in the middle. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number;
}
