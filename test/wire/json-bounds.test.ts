import { describe, expect, it } from "vitest";
import { crossedBound } from "../../src/wire/json-bounds.ts";

const bounds = { depthMax: 3, valuesMax: 5 };

describe("bounds on what a JSON text makes", () => {
  it.each([
    { id: "as deep as permitted", text: "[[[1]]]", crossed: undefined },
    { id: "one level too deep", text: '[[{"a":[]}]]', crossed: "nested more than 3 levels deep" },
    { id: "as many values as permitted", text: "[1,2,3,4]", crossed: undefined },
    { id: "too many values", text: "[{},{},{},{}]", crossed: "more than 5 values" },
    { id: "brackets and commas in a string", text: '["[[[[,,,,,,,,]]]]"]', crossed: undefined },
    { id: "a quote that is escaped", text: '["\\"[[[[[[",[[1]]]', crossed: undefined },
    {
      id: "a backslash before the closing quote",
      text: '["\\\\",[[[1]]]]',
      crossed: "nested more than 3 levels deep",
    },
    { id: "a string without an end", text: '["[[[[[[', crossed: undefined },
  ])("counts $id", ({ text, crossed }) => {
    expect(crossedBound(text, bounds)).toBe(crossed);
  });
});
