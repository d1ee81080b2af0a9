/**
 * Decides whether a list of cycle records is accepted. An archiver may lie once, or always, and a collector that follows
 * a lie refuses honest messages. Time bounds the lie, and gossip that validators have signed confirms the truth:
 *
 * - No record is in the future, and none has a number that the network cannot have reached yet.
 * - A newest record that continues the accepted one by as many cycles as have passed, and a few more, is accepted.
 * - Any other one (a leap ahead, a step back) is a jump. Until a validator's message confirms a cycle near the accepted
 *   one, a jump is accepted. After that it is refused, unless {@link chainResponsesMin} responses in a row agree on it
 *   over {@link chainJumpMs}: then the chain has indeed moved.
 *
 * So one false response changes nothing while gossip arrives, and a false first one is corrected by the next honest
 * one. An archiver that always lies is accepted in the end: pin its key, or use another one.
 */

import {
  chainClockSlackSeconds,
  chainCycleSecondsMax,
  chainCycleSecondsMin,
  chainEpochSeconds,
  chainJumpMs,
  chainResponsesMin,
  chainSlackCycles,
} from "../../limits/collect.ts";
import type { Cycle } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";

type Step = Pick<CycleRecord, "counter" | "start" | "duration">;

/** A record, and when it was received by a monotonic clock. */
interface Observation {
  readonly step: Step;
  readonly atMs: number;
}

export type Proposal =
  | { readonly kind: "forward" }
  | { readonly kind: "jump" }
  | { readonly kind: "refused"; readonly problem: string };

export class ChainProgress {
  #accepted: Observation | undefined;
  #isConfirmed = false;
  /** A jump that is not accepted yet, and how many responses in a row agree on it. */
  #jump: (Observation & { readonly responses: number; readonly sinceMs: number }) | undefined;

  /** Whether gossip has confirmed the accepted record. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /**
   * Accepts the newest record of a response, or refuses it with a reason.
   *
   * @param nowMs by the wall clock
   * @param atMs by a monotonic clock
   */
  propose(step: Step, nowMs: number, atMs: number): Proposal {
    const impossible = impossibility(step, nowMs);
    if (impossible !== undefined) return { kind: "refused", problem: impossible };
    const accepted = this.#accepted;
    if (accepted === undefined || continues(accepted, step, atMs)) {
      this.#accept(step, atMs);
      return { kind: "forward" };
    }
    const before = this.#jump !== undefined && continues(this.#jump, step, atMs) ? this.#jump : undefined;
    const [responses, sinceMs] = [(before?.responses ?? 0) + 1, before?.sinceMs ?? atMs];
    const isPersistent = responses >= chainResponsesMin && atMs - sinceMs >= chainJumpMs;
    if (!this.#isConfirmed || isPersistent) {
      this.#isConfirmed = false;
      this.#accept(step, atMs);
      return { kind: "jump" };
    }
    this.#jump = { step, atMs, responses, sinceMs };
    const { counter } = accepted.step;
    const problem = `the newest cycle is ${step.counter}, after ${counter}: it is accepted once the archiver states it for ${chainJumpMs / 60_000} minutes`;
    return { kind: "refused", problem };
  }

  /** Records that a validator has validly signed a message of that cycle. */
  confirm(cycle: Cycle): void {
    const counter = this.#accepted?.step.counter;
    if (counter !== undefined && Math.abs(cycle - counter) <= chainSlackCycles) this.#isConfirmed = true;
  }

  #accept(step: Step, atMs: number): void {
    this.#accepted = { step, atMs };
    this.#jump = undefined;
  }
}

/** Returns whether the counter has not decreased, nor grown faster than time passes. */
function continues(before: Observation, { counter, duration }: Step, atMs: number): boolean {
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
