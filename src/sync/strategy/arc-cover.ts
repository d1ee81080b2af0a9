/**
 * A minimum cover of the needed positions of a ring by arcs: the fewest arcs; among those, the least weight. Exact, in
 * O(n log n) (docs/decisions/0011). A greedy walk around the ring, from each arc that contains one fixed position, gives
 * the number. A shortest path from each of these arcs gives the least weight. Two such paths need not cross, so each
 * path that is found bounds the search for the others.
 */

import { type Arc, lastOf, ProperCircularArcs } from "./circular-arcs.ts";
import { minimumWeightRound } from "./minimum-weight-cover.ts";

/**
 * Positions that no arc covers are left out.
 *
 * @param arcs of those that lie within another one, the longer one is taken, whatever it weighs; of equal
 *   ones, the first
 * @param isNeeded by position
 * @returns in the order of the ring
 */
export function coverRing(arcs: readonly Arc[], isNeeded: readonly boolean[]): Arc[] {
  const proper = withoutContained(arcs, isNeeded.length);
  const counts = depths(proper, isNeeded.length);
  const needed = isNeeded.map((is, position) => is && (counts[position] as number) > 0);
  if (!needed.includes(true)) return [];
  const ring = new ProperCircularArcs(proper, needed);
  const pivot = leastCovered(counts, needed);
  const starts = startsAt(pivot, proper, needed.length);
  const rounds = starts.map((start) => ring.greedy(start));
  const count = Math.min(...rounds.map(({ length }) => length));
  const shortest = starts.filter((_, index) => rounds[index]?.length === count);
  const isEven = proper.every(({ weight }) => weight === proper[0]?.weight);
  const path = isEven
    ? rounds.find(({ length }) => length === count)
    : minimumWeightRound(ring, shortest, count);
  return (path ?? []).map((index) => ring.arc(index)).sort((a, b) => a.first - b.first);
}

/** No arc of the result lies within another: ordered by their beginnings, they are ordered by their ends. */
function withoutContained(arcs: readonly Arc[], size: number): Arc[] {
  const sorted = [...arcs].sort((a, b) => a.first - b.first || b.length - a.length);
  // What those reach that begin before position 0.
  let reached = sorted.reduce((reach, arc) => Math.max(reach, lastOf(arc) - size), -1);
  return sorted.filter((arc) => {
    const isOwn = lastOf(arc) > reached;
    if (isOwn) reached = lastOf(arc);
    return isOwn;
  });
}

/** How many arcs hold each position. */
function depths(arcs: readonly Arc[], size: number): Int32Array {
  // What an arc has beyond the ring's end is of the next turn.
  const changes = new Int32Array(2 * size + 1);
  for (const { first, length } of arcs) {
    changes[first] = (changes[first] as number) + 1;
    changes[first + length] = (changes[first + length] as number) - 1;
  }
  const counts = new Int32Array(size);
  let open = 0;
  for (let position = 0; position < 2 * size; position++) {
    open += changes[position] as number;
    counts[position % size] = (counts[position % size] as number) + open;
  }
  return counts;
}

/** The needed position with the fewest arcs: every cover has one of them. */
function leastCovered(counts: Int32Array, needed: readonly boolean[]): number {
  let least = -1;
  for (let position = 0; position < needed.length; position++) {
    if (!needed[position]) continue;
    if (least < 0 || (counts[position] as number) < (counts[least] as number)) least = position;
  }
  return least;
}

/** Indices of the arcs that hold a position, in the order of the ring; those that begin after it are of the turn before. */
function startsAt(position: number, arcs: readonly Arc[], size: number): number[] {
  const indices = arcs.flatMap((arc, index) => (holds(arc, position, size) ? [index] : []));
  const turned = indices.map((index) =>
    (arcs[index] as Arc).first > position ? index : index + arcs.length,
  );
  return turned.sort((a, b) => a - b);
}

function holds({ first, length }: Arc, position: number, size: number): boolean {
  return (position - first + size) % size < length;
}
