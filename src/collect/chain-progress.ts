/**
 * Decides whether a list of cycle records is believed. An archiver may lie once, or always; a collector that follows a
 * lie refuses honest messages. What bounds the lie is time, and what confirms the truth is gossip that validators have
 * signed:
 *
 * - No record is of the future, and none has a number that could not have been reached since such networks exist.
 * - A newest record that goes on from the accepted one by as many cycles as have passed, and a few more, is accepted.
 * - Any other one (a leap ahead, a step back) is a jump. Until a validator's message of a cycle near the accepted one
 *   has come, nothing speaks for that more than for the jump, which is accepted. After that it is refused, unless
 *   {@link chainResponsesMin} answers in a row agree on it over {@link chainJumpMs}: then the chain has indeed moved on, or back.
 *
 * So one false answer changes nothing while gossip comes in, and a false first one is corrected by the next honest
 * one. An archiver that always lies is believed in the end: pin its key, and ask another one.
 */

import {
  chainClockSlackSeconds,
  chainCycleSecondsMax,
  chainCycleSecondsMin,
  chainEpochSeconds,
  chainJumpMs,
  chainResponsesMin,
  chainSlackCycles,
} from "../limits/limits.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";

type Step = Pick<CycleRecord, "counter" | "start" | "duration">;

/** What was said, and when, by a clock that only goes forward. */
interface Said {
  readonly step: Step;
  readonly atMs: number;
}

export type Proposal =
  | { readonly kind: "forward" }
  | { readonly kind: "jump" }
  | { readonly kind: "refused"; readonly problem: string };

export class ChainProgress {
  #accepted: Said | undefined;
  #isConfirmed = false;
  /** A jump that has not been believed yet, and how many answers in a row have told of it. */
  #jump: (Said & { readonly answers: number; readonly sinceMs: number }) | undefined;

  /** Whether gossip has confirmed the accepted record. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /**
   * Accepts the newest record of an answer, or says why not.
   *
   * @param nowMs of the clock on the wall
   * @param atMs of a clock that only goes forward
   */
  propose(step: Step, nowMs: number, atMs: number): Proposal {
    const impossible = impossibility(step, nowMs);
    if (impossible !== undefined) return { kind: "refused", problem: impossible };
    const accepted = this.#accepted;
    if (accepted === undefined || goesOnFrom(accepted, step, atMs)) {
      this.#accept(step, atMs);
      return { kind: "forward" };
    }
    const before = this.#jump !== undefined && goesOnFrom(this.#jump, step, atMs) ? this.#jump : undefined;
    const [answers, sinceMs] = [(before?.answers ?? 0) + 1, before?.sinceMs ?? atMs];
    const isPersistent = answers >= chainResponsesMin && atMs - sinceMs >= chainJumpMs;
    if (!this.#isConfirmed || isPersistent) {
      this.#isConfirmed = false;
      this.#accept(step, atMs);
      return { kind: "jump" };
    }
    this.#jump = { step, atMs, answers, sinceMs };
    const { counter } = accepted.step;
    const problem = `the newest cycle is ${step.counter}, after it was ${counter}: not believed unless the archiver says so for ${chainJumpMs / 60_000} minutes`;
    return { kind: "refused", problem };
  }

  /** A validator's own signature holds over a message of that cycle. */
  confirm(cycle: number): void {
    const counter = this.#accepted?.step.counter;
    if (counter !== undefined && Math.abs(cycle - counter) <= chainSlackCycles) this.#isConfirmed = true;
  }

  #accept(step: Step, atMs: number): void {
    this.#accepted = { step, atMs };
    this.#jump = undefined;
  }
}

/** The counter only grows, and no faster than time passes. */
function goesOnFrom(before: Said, { counter, duration }: Step, atMs: number): boolean {
  const cycles = counter - before.step.counter;
  const shorter = Math.min(duration, before.step.duration);
  const elapsed = Math.ceil((atMs - before.atMs) / 1000 / Math.max(shorter, chainCycleSecondsMin));
  return cycles >= 0 && cycles <= elapsed + chainSlackCycles;
}

function impossibility({ counter, start, duration }: Step, nowMs: number): string | undefined {
  const nowSeconds = nowMs / 1000;
  if (duration > chainCycleSecondsMax) return `cycle ${counter} lasts ${duration} seconds, longer than a day`;
  if (start > nowSeconds + chainClockSlackSeconds) {
    return `cycle ${counter} starts in the future, ${Math.round(start - nowSeconds)} seconds from now`;
  }
  const counterMax = Math.floor((nowSeconds - chainEpochSeconds) / Math.max(duration, chainCycleSecondsMin));
  if (counter > counterMax) return `there cannot have been ${counter} cycles of ${duration} seconds yet`;
  return undefined;
}
