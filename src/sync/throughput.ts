/**
 * How fast nodes have answered in this run, and what that says of who is asked first and of who is late
 * (docs/decisions/0012). Only the time is measured in which we waited for a node: our own hashing and a
 * slow disk of ours are not its fault. Pure: times come in from outside.
 */

import {
  lateAfterMs,
  latenessFactor,
  lateUnmeasuredMs,
  lengthFactor,
  paceMarginMs,
  speedSampleBytes,
  speedSmoothing,
  speedsCompared,
  unmeasuredBytesPerSecond,
} from "../limits/limits.ts";

/** One answer, or as much of it as there is so far. */
export interface SpeedSample {
  /** Until the first byte; until now, where there was none. */
  readonly firstByteMs: number;
  readonly bytes: number;
  /** Waited for all bytes but the first. */
  readonly bytesMs: number;
}

/** An answer that is under way. */
export interface AnswerSoFar extends SpeedSample {
  /** Waited since the last byte. */
  readonly silentMs: number;
}

interface Speed {
  readonly firstByteMs: number;
  /** `undefined` where no answer was long enough to tell. */
  readonly msPerByte: number | undefined;
}

interface Compared extends Speed {
  readonly bytes: number;
}

interface Measured extends Compared {
  readonly nodeIndex: number;
}

const unmeasuredMsPerByte = 1000 / unmeasuredBytesPerSecond;

/** No node has this index. */
const notMeasured = -1;

export class Throughput {
  readonly #speeds = new Map<number, Speed>();
  /** The newest answers, which others are compared with. */
  readonly #recent: Measured[] = [];
  #isEven: boolean | undefined;
  #usual: { readonly bytes: number; readonly leastMs: number; readonly medianMs: number } | undefined;

  /** Notes an answer; the newer ones of a node count for more. */
  note(nodeIndex: number, sample: SpeedSample): void {
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
    this.#isEven ??= [...this.#speeds.keys(), notMeasured].every((index) => this.pace(index) === 0);
    return this.#isEven;
  }

  /**
   * How many times a node needs twice as long as the fastest one, for an answer of the usual length: nodes of
   * a greater pace are asked later. 0 for all where they are about equal, or nothing is measured; what is not
   * measured is taken to be as most are.
   */
  pace(nodeIndex: number): number {
    if (this.#usual === undefined) return 0;
    const { bytes, leastMs, medianMs } = this.#usual;
    const measured = this.#speeds.get(nodeIndex);
    const ownMs = measured === undefined ? medianMs : expectedMs(measured, bytes);
    return Math.max(0, Math.floor(Math.log2((ownMs + paceMarginMs) / (leastMs + paceMarginMs))));
  }

  /**
   * Whether an answer makes us wait so much longer than those of other nodes that it is worth asking others.
   * Bytes do not buy time without end: what is beyond the answers that it is compared with does not count.
   *
   * @param others answers under way at the same time: what slows all of them down is nobody's lateness
   * @param patience how many times longer than usual is waited
   */
  isLate(nodeIndex: number, answer: AnswerSoFar, others: readonly SpeedSample[], patience = 1): boolean {
    const compared: Compared[] = this.#recent.filter((recent) => recent.nodeIndex !== nodeIndex);
    const underWay = others.filter(({ bytes }) => bytes > 0);
    compared.push(...underWay.map((other) => ({ ...speedOf(other), bytes: other.bytes })));
    const waitedMs = answer.firstByteMs + answer.bytesMs;
    if (compared.length === 0) {
      const slowestMs = answer.bytes * unmeasuredMsPerByte;
      return (
        answer.silentMs > patience * lateUnmeasuredMs || waitedMs > patience * (lateUnmeasuredMs + slowestMs)
      );
    }
    const firstByteMs = median(compared.map((speed) => speed.firstByteMs));
    if (answer.silentMs > patience * (lateAfterMs + latenessFactor * firstByteMs)) return true;
    const rates = compared.flatMap(({ msPerByte }) => (msPerByte === undefined ? [] : [msPerByte]));
    // Where none was long enough to have a rate of its own, the slowest one is taken that passes unmeasured.
    const msPerByte = rates.length === 0 ? unmeasuredMsPerByte : median(rates);
    const longest = Math.max(...compared.map(({ bytes }) => bytes));
    const counted = Math.min(answer.bytes, lengthFactor * longest + speedSampleBytes);
    return waitedMs > patience * (lateAfterMs + latenessFactor * (firstByteMs + counted * msPerByte));
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
