import fc from "fast-check";
import { expect, it } from "vitest";
import { StratifiedSample } from "../../../src/testnet/state/stratified-sample.ts";
import { seeded } from "../../helpers/seeded.ts";

it("a sample has its exact size, and counts what is below each number", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.nat(2 ** 32 - 1), (total, wanted, seed) => {
      const sample = new StratifiedSample(total, Math.min(total, wanted), seed);
      const numbers = Array.from({ length: total }, (_, number) => number);
      const picked = numbers.filter((number) => sample.has(number));
      expect(picked).toHaveLength(sample.size);
      for (const number of [...numbers, total]) {
        expect(sample.countBelow(number)).toBe(picked.filter((pick) => pick < number).length);
      }
    }),
    seeded(200),
  );
});

it("a sample of a hundred million numbers is exact at its ends", () => {
  const total = 100_000_000;
  const sample = new StratifiedSample(total, 99_999_989, 7);
  expect(sample.countBelow(total)).toBe(sample.size);
  const lastHundred = Array.from({ length: 100 }, (_, index) => total - 100 + index);
  const picked = lastHundred.filter((number) => sample.has(number));
  expect(sample.countBelow(total - 100) + picked.length).toBe(sample.size);
});

it("a sample is spread evenly, and another seed picks other numbers", () => {
  const [sample, other] = [1, 2].map((seed) => new StratifiedSample(10_000, 100, seed));
  for (let number = 0; number < 10_000; number += 1000) {
    const inThousand = (sample?.countBelow(number + 1000) ?? 0) - (sample?.countBelow(number) ?? 0);
    expect(inThousand).toBe(10);
  }
  const numbers = Array.from({ length: 10_000 }, (_, number) => number);
  const common = numbers.filter((number) => sample?.has(number) && other?.has(number));
  expect(common.length).toBeLessThan(20);
});

it("a sample is refused that is larger than what it is taken from", () => {
  expect(() => new StratifiedSample(3, 4, 1)).toThrow("a sample of 4 of 3 numbers");
});
