/**
 * Finds the round of least weight among all rounds with a given number of arcs. A round is a sequence of arcs that covers
 * the ring once. From one first arc, the best round is a shortest path.
 *
 * Take the best rounds from two first arcs. At each step, the earlier of their two arcs form a round, and so do the later
 * ones, with the same total weight. So there are best rounds that do not cross, and the best round from one first arc
 * bounds the search from those before and after it.
 */

import type { ProperCircularArcs } from "./circular-arcs.ts";

/** Indices of arcs, ascending, the first arc first. */
type Round = readonly number[];

/**
 * @param starts the possible first arcs, ascending, within one turn; from each there is a round of `count` arcs
 * @param count the smallest number of arcs of any round
 */
export function minimumWeightRound(
  ring: ProperCircularArcs,
  starts: readonly number[],
  count: number,
): Round {
  let lightest: Round | undefined;
  let leastWeight = Number.POSITIVE_INFINITY;
  const search = (from: number, to: number, below: Round | undefined, above: Round | undefined) => {
    if (from >= to) return;
    const middle = Math.floor((from + to) / 2);
    const { round, weight } = minimumWeightFrom(ring, starts[middle] as number, count, below, above);
    if (weight < leastWeight) {
      lightest = round;
      leastWeight = weight;
    }
    search(from, middle, below, round);
    search(middle + 1, to, round, above);
  };
  search(0, starts.length, undefined, undefined);
  if (lightest === undefined) throw new RangeError(`no round has ${count} arcs`);
  return lightest;
}

/** The arcs that may come at one step, and the lightest way to each of them. */
interface Step {
  readonly low: number;
  readonly weights: Float64Array;
  /** The arc before, on that way. */
  readonly before: Int32Array;
}

function minimumWeightFrom(
  ring: ProperCircularArcs,
  start: number,
  count: number,
  below: Round | undefined,
  above: Round | undefined,
): { round: Round; weight: number } {
  const { lows, highs } = bounds(ring, start, count, below, above);
  const steps: Step[] = [
    { low: start, weights: Float64Array.of(ring.arc(start).weight), before: Int32Array.of(start) },
  ];
  for (let step = 1; step < count; step++) {
    steps.push(stepAfter(steps[step - 1] as Step, ring, lows[step] as number, highs[step] as number));
  }
  // The last arc is one from which the beginning, a turn later, can follow.
  const last = steps[count - 1] as Step;
  const least = last.weights.reduce((best, weight, i, all) => (weight < (all[best] as number) ? i : best), 0);
  const round = [last.low + least];
  for (let step = count - 1; step > 0; step--) {
    const { low, before } = steps[step] as Step;
    round.push(before[(round.at(-1) as number) - low] as number);
  }
  return { round: round.reverse(), weight: last.weights[least] as number };
}

/** Between which arcs each step lies: reached from the beginning, leading back to it, and crossing no bound. */
function bounds(
  ring: ProperCircularArcs,
  start: number,
  count: number,
  below: Round | undefined,
  above: Round | undefined,
): { lows: number[]; highs: number[] } {
  const highs = [start];
  for (let step = 1; step < count; step++) highs.push(ring.next(highs[step - 1] as number));
  const lows = new Array<number>(count).fill(start);
  let low = start + ring.count;
  for (let step = count - 1; step > 0; step--) {
    low = ring.previous(low);
    lows[step] = Math.max(low, below?.[step] ?? low);
    highs[step] = Math.min(highs[step] as number, above?.[step] ?? Number.POSITIVE_INFINITY);
  }
  return { lows, highs };
}

/** The least weight in a window that only moves on: those that wait in it, in ascending order of weight. */
function stepAfter(previous: Step, ring: ProperCircularArcs, low: number, high: number): Step {
  const weights = new Float64Array(high - low + 1).fill(Number.POSITIVE_INFINITY);
  const before = new Int32Array(high - low + 1);
  const window: number[] = [];
  let head = 0;
  let entering = 0;
  const weightOf = (offset: number) => previous.weights[offset] as number;
  for (let index = low; index <= high; index++) {
    for (; entering < previous.weights.length && previous.low + entering <= index; entering++) {
      while (window.length > head && weightOf(window.at(-1) as number) >= weightOf(entering)) window.pop();
      window.push(entering);
    }
    const earliest = ring.previous(index) - previous.low;
    while (head < window.length && (window[head] as number) < earliest) head++;
    const best = window[head];
    if (best === undefined) continue;
    weights[index - low] = weightOf(best) + ring.arc(index).weight;
    before[index - low] = previous.low + best;
  }
  return { low, weights, before };
}
