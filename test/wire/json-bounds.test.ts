import { describe, expect, it } from "vitest";
import { exceededBound } from "../../src/wire/json-bounds.ts";

const bounds = { depthMax: 3, valuesMax: 5 };

describe("the bounds on a JSON text's value", () => {
  it.each([
    { id: "the permitted depth", text: "[[[1]]]", exceeded: undefined },
    { id: "one level too many", text: '[[{"a":[]}]]', exceeded: "nested more than 3 levels deep" },
    { id: "the permitted number of values", text: "[1,2,3,4]", exceeded: undefined },
    { id: "too many values", text: "[{},{},{},{}]", exceeded: "more than 5 values" },
    { id: "brackets and commas in a string", text: '["[[[[,,,,,,,,]]]]"]', exceeded: undefined },
    { id: "an escaped quote", text: '["\\"[[[[[[",[[1]]]', exceeded: undefined },
    {
      id: "a backslash before the closing quote",
      text: '["\\\\",[[[1]]]]',
      exceeded: "nested more than 3 levels deep",
    },
    { id: "an unclosed string", text: '["[[[[[[', exceeded: undefined },
  ])("apply to $id", ({ text, exceeded }) => {
    expect(exceededBound(text, bounds)).toBe(exceeded);
  });
});
