import { describe, expect, it } from "vitest";
import { chosenArtifacts, describeSubset } from "../../../src/verify/files/subset.ts";

describe("a subset of the artifacts", () => {
  it("is all of them if none is requested", () => {
    expect([...chosenArtifacts(undefined, 3)]).toEqual([0, 1, 2]);
    expect([...chosenArtifacts(undefined, 0)]).toEqual([]);
  });

  it("is one of several parts, which together are all, and whose number wraps", () => {
    const parts = [0, 1, 2].map((first) => [...chosenArtifacts({ oneIn: 3, first }, 8)]);
    expect(parts).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5],
    ]);
    expect([...chosenArtifacts({ oneIn: 3, first: 4 }, 8)]).toEqual([1, 4, 7]);
    expect(chosenArtifacts({ oneIn: 9, first: 8 }, 8).size).toBe(0);
  });

  it("is a random share, of at least one, that its seed determines", () => {
    const share = (percent: number, seed: number) => [...chosenArtifacts({ percent, seed }, 100)];
    expect(share(10, 1)).toHaveLength(10);
    expect(share(0.001, 1)).toHaveLength(1);
    expect(share(100, 1).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(share(10, 1)).toEqual(share(10, 1));
    expect(share(10, 1)).not.toEqual(share(10, 2));
    expect(share(20, 1).slice(0, 10)).toEqual(share(10, 1));
  });

  it("is described for messages", () => {
    expect(describeSubset({ oneIn: 3, first: 4 })).toBe("part 2 of 3");
    expect(describeSubset({ percent: 5, seed: 9 })).toBe("5% at random, seed 9");
  });
});
