/** Arcs of a ring of which none lies within another: which can follow which so that nothing needed is left out. */

import type { NodeIndex } from "../../protocol/brands.ts";

export interface Arc {
  readonly node: NodeIndex;
  /** The first position, from 0. */
  readonly first: number;
  /** Positions, at most as many as the ring has. */
  readonly length: number;
  readonly weight: number;
}

/** The last position; beyond the ring's end, where the arc goes on over it. */
export function lastOf({ first, length }: Arc): number {
  return first + length - 1;
}

/**
 * Index `i + n` is arc i one turn later, so that a round is a
 * sequence of indices that rises from some i to i + n.
 */
export class ProperCircularArcs {
  readonly count: number;
  readonly #arcs: readonly Arc[];
  readonly #next: readonly number[];
  readonly #previous: readonly number[];

  /**
   * @param arcs ordered by their beginnings, and so by their ends
   * @param needed positions; each is in an arc, and there is one
   */
  constructor(arcs: readonly Arc[], needed: readonly boolean[]) {
    this.count = arcs.length;
    this.#arcs = arcs;
    this.#next = lastWithoutGap(arcs, needed);
    this.#previous = firstWithoutGap(this.#next);
  }

  arc(index: number): Arc {
    return this.#arcs[index % this.count] as Arc;
  }

  /** The last arc that leaves nothing needed between the two. */
  next(index: number): number {
    const turns = Math.floor(index / this.count) * this.count;
    return turns + (this.#next[index - turns] as number);
  }

  /** The first arc that leaves nothing needed between itself and this one. */
  previous(index: number): number {
    const turns = Math.floor(index / this.count) * this.count;
    return turns + (this.#previous[index - turns] as number);
  }

  /** The round from an arc that always goes as far as it can: of all that begin with it, one of the fewest. */
  greedy(start: number): number[] {
    const round: number[] = [];
    for (let index = start; index < start + this.count; index = this.next(index)) round.push(index);
    return round;
  }
}

function lastWithoutGap(arcs: readonly Arc[], needed: readonly boolean[]): number[] {
  const size = needed.length;
  const n = arcs.length;
  const nextNeeded = positionsOfNext(needed);
  const firstOf = (index: number) => (arcs[index % n] as Arc).first + Math.floor(index / n) * size;
  let last = 0;
  return arcs.map((arc, index) => {
    const beyond = lastOf(arc) + 1;
    const gap = beyond + ((nextNeeded[beyond % size] as number) - (beyond % size));
    last = Math.max(last, index);
    while (last < index + n && firstOf(last + 1) <= gap) last++;
    return last;
  });
}

/** The other way round; counted from the arc's own turn, so that it may be below 0. */
function firstWithoutGap(next: readonly number[]): number[] {
  const n = next.length;
  let first = 0;
  return next.map((_, index) => {
    // Nothing reaches further than a turn, so that none before 0 comes into question here.
    while (first < n + index && Math.floor(first / n) * n + (next[first % n] as number) < index + n) first++;
    return first - n;
  });
}

/** Of each position, the needed one at or after it; beyond the ring's end, that of the next turn. */
function positionsOfNext(needed: readonly boolean[]): number[] {
  const next = new Array<number>(needed.length);
  let found = needed.indexOf(true) + needed.length;
  for (let position = needed.length - 1; position >= 0; position--) {
    if (needed[position]) found = position;
    next[position] = found;
  }
  return next;
}
