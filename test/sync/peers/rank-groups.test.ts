import { describe, expect, it } from "vitest";
import { rankGroups } from "../../../src/sync/peers/rank-groups.ts";
import { asNodeIndexes } from "../../helpers/brands.ts";

const cases: readonly { id: string; ranks: readonly number[]; groups: readonly (readonly number[])[] }[] = [
  { id: "no indices make no groups", ranks: [], groups: [] },
  { id: "equal ranks make one group, in the given order", ranks: [3, 3, 3], groups: [[0, 1, 2]] },
  { id: "the lowest rank comes first", ranks: [2, 0, 10, 0], groups: [[1, 3], [0], [2]] },
];

describe("groups of indices by rank", () => {
  it.each(cases)("$id", ({ ranks, groups }) => {
    expect(rankGroups(asNodeIndexes(ranks.keys()), (index) => ranks[index] as number)).toEqual(groups);
  });
});
