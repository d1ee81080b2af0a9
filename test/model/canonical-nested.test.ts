import { expect, it } from "vitest";
import { canonicalText } from "../../src/model/canonical.ts";
import { revivedText } from "./revived-text.ts";

it.each([
  {
    id: "a long-form buffer in a long-form buffer",
    wire: '{"type":"Buffer","data":{"type":"Buffer","data":[1]}}',
  },
  {
    id: "a big integer as the value of a big integer",
    wire: '{"dataType":"bi","value":{"dataType":"bi","value":"10"}}',
  },
  { id: "a short buffer as one byte", wire: '{"type":"Buffer","data":[{"dataType":"u8ab","value":"AQ=="}]}' },
])("$id", ({ wire }) => {
  const text = canonicalText(wire);
  expect(canonicalText(text)).toBe(text);
  expect(text).toBe(revivedText(wire));
});

it.each([5, null, true])("a long-form buffer whose data is %s is an object like any other", (data) => {
  const text = canonicalText(JSON.stringify({ type: "Buffer", data }));
  expect(text).toBe(`{"data":${data},"type":"Buffer"}`);
});
