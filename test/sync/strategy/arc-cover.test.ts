import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNodeIndex } from "../../../src/protocol/brands.ts";
import { coverRing } from "../../../src/sync/strategy/arc-cover.ts";
import type { Arc } from "../../../src/sync/strategy/circular-arcs.ts";
import { seeded } from "../../helpers/seeded.ts";

const positionsOf = ({ first, length }: Arc, size: number) =>
  Array.from({ length }, (_, step) => (first + step) % size);

const weightOf = (arcs: readonly Arc[]) => arcs.reduce((sum, { weight }) => sum + weight, 0);

/** By trying all choices: the fewest arcs that cover what any of them covers, and the least weight of so few. */
function best(arcs: readonly Arc[], isNeeded: readonly boolean[]): { count: number; weight: number } {
  const masks = arcs.map((arc) =>
    positionsOf(arc, isNeeded.length).reduce((mask, p) => mask | (isNeeded[p] ? 1 << p : 0), 0),
  );
  const all = masks.reduce((union, mask) => union | mask, 0);
  let found = { count: Number.POSITIVE_INFINITY, weight: Number.POSITIVE_INFINITY };
  for (let choice = 0; choice < 1 << arcs.length; choice++) {
    const chosen = arcs.filter((_, index) => choice & (1 << index));
    const union = masks.reduce((mask, own, index) => (choice & (1 << index) ? mask | own : mask), 0);
    const [count, weight] = [chosen.length, weightOf(chosen)];
    if (union !== all || count > found.count || (count === found.count && weight >= found.weight)) continue;
    found = { count, weight };
  }
  return found;
}

function expectBest(arcs: readonly Arc[], isNeeded: readonly boolean[]): void {
  const chosen = coverRing(arcs, isNeeded);
  const covered = new Set(chosen.flatMap((arc) => positionsOf(arc, isNeeded.length)));
  const coverable = new Set(arcs.flatMap((arc) => positionsOf(arc, isNeeded.length)));
  for (const position of coverable) if (isNeeded[position]) expect(covered).toContain(position);
  expect({ count: chosen.length, weight: weightOf(chosen) }).toEqual(best(arcs, isNeeded));
}

/** A ring of which each node stores the same number of positions, some nodes are away, some is not needed. */
const ring = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    length: fc.integer({ min: 1, max: size }),
    isAway: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    isNeeded: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: size, maxLength: size }),
    weights: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: size, maxLength: size }),
  }),
);

describe("the cover of a ring", () => {
  it("has the fewest arcs, and of these the least weight, as all choices tried show", () => {
    const property = fc.property(ring, fc.boolean(), ({ length, isAway, isNeeded, weights }, isEven) => {
      const arcs = isAway.flatMap((away, first): Arc[] =>
        away
          ? []
          : [{ node: asNodeIndex(first), first, length, weight: isEven ? 1 : (weights[first] as number) }],
      );
      expectBest(
        arcs,
        isNeeded.map((kind) => kind > 0),
      );
    });
    fc.assert(property, seeded(1500));
  });

  it("of a whole ring with nobody away is as the division says", () => {
    for (const [size, length] of [
      [9, 5],
      [100, 7],
      [1000, 9],
      [10, 10],
      [10, 9],
      [1, 1],
    ] as const) {
      const arcs = Array.from({ length: size }, (_, first) => ({
        node: asNodeIndex(first),
        first,
        length,
        weight: length,
      }));
      expect(coverRing(arcs, new Array(size).fill(true))).toHaveLength(Math.ceil(size / length));
    }
  });

  it("covers with arcs of any lengths, the fewest there too", () => {
    const any = fc.integer({ min: 1, max: 11 }).chain((size) =>
      fc.record({
        isNeeded: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
        arcs: fc.array(
          fc.record({
            node: fc.constant(asNodeIndex(0)),
            first: fc.integer({ min: 0, max: size - 1 }),
            length: fc.integer({ min: 1, max: size }),
            weight: fc.constant(1),
          }),
          { maxLength: 9 },
        ),
      }),
    );
    fc.assert(
      fc.property(any, ({ arcs, isNeeded }) => expectBest(arcs, isNeeded)),
      seeded(1500),
    );
  });

  it("is nothing where nothing is needed, or nobody there", () => {
    expect(coverRing([{ node: asNodeIndex(0), first: 0, length: 2, weight: 1 }], [false, false])).toEqual([]);
    expect(coverRing([], [true, true])).toEqual([]);
  });
});
