/** Typed values inside typed values: their canonical text in the network's own code, and the bounds on it here. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bigIntegerDigitsMax,
  depthMax,
  nestedBigIntegerDigitsMax,
  nestedBytesMax,
  nestedListsMax,
} from "../../src/limits/json.ts";
import { CanonicalTextError, canonicalText } from "../../src/protocol/crypto/canonical-text.ts";
import { seeded } from "../helpers/seeded.ts";
import { readVectors } from "../helpers/vectors.ts";
import { nestedJson } from "./nested-json.ts";
import { networkText } from "./network-text.ts";
import { ownText } from "./own-text.ts";

const { cases } = readVectors<{ cases: { wire: string; canonical: string | null }[] }>("canonical-nested");

it.each(cases.map((vector, id) => ({ id, ...vector })))(
  "canonical text of nested typed values, case $id",
  ({ wire, canonical }) => {
    expect(ownText(wire) ?? null).toBe(canonical);
  },
);

it.each([
  {
    id: "a long-form buffer in a long-form buffer",
    wire: '{"type":"Buffer","data":{"type":"Buffer","data":[1]}}',
  },
  { id: "a big integer as digits", wire: '{"dataType":"bi","value":{"dataType":"bi","value":"10"}}' },
  { id: "a big integer as a byte", wire: '{"type":"Buffer","data":[{"dataType":"bi","value":"1"}]}' },
  {
    id: "a list of a big integer as a byte",
    wire: '{"type":"Buffer","data":[[{"dataType":"bi","value":"10"}]]}',
  },
  { id: "bytes as digits", wire: '{"dataType":"bi","value":{"dataType":"u8ab","value":"EA=="}}' },
  { id: "a buffer as digits", wire: '{"dataType":"bi","value":{"dataType":"bb","value":"ZmY="}}' },
  { id: "a list as digits", wire: '{"dataType":"bi","value":[["ff"]]}' },
  { id: "digits before white space", wire: '{"dataType":"bi","value":"ff \\ufeff"}' },
  { id: "bytes as a byte", wire: '{"type":"Buffer","data":[{"dataType":"u8ab","value":"AQ=="}]}' },
  { id: "a buffer as a byte", wire: '{"type":"Buffer","data":[{"dataType":"bb","value":"NQ=="}]}' },
  { id: "an object as a byte", wire: '{"type":"Buffer","data":[{"valueOf":5}]}' },
  { id: "an object with a toString as a byte", wire: '{"type":"Buffer","data":[{"toString":5}]}' },
  {
    id: "a malformed big integer beside the value of bytes",
    wire: '{"dataType":"bb","value":"","x":{"dataType":"bi","value":"x"}}',
  },
  {
    id: "a malformed big integer under a forbidden key",
    wire: '{"__proto__":{"dataType":"bi","value":"x"}}',
  },
  {
    id: "a malformed big integer in a list of bytes",
    wire: '{"type":"Buffer","data":[{"a":{"dataType":"bi","value":"x"}}]}',
  },
  {
    id: "a long-form buffer beside a forbidden key",
    wire: '{"type":"Buffer","constructor":1,"data":[7]}',
  },
  { id: "a long-form buffer without data", wire: '{"type":"Buffer","x":1}' },
  { id: "a long-form buffer whose data is a number", wire: '{"type":"Buffer","data":5}' },
  { id: "a long-form buffer whose data is null", wire: '{"type":"Buffer","data":null}' },
  { id: "a long-form buffer under sig", wire: '{"sig":{"type":"Buffer","data":[7]}}' },
  { id: "a big integer in a list under sig", wire: '{"sig":[{"dataType":"bi","value":"0a"}]}' },
  { id: "a null dataType", wire: '{"dataType":null,"value":"0a"}' },
  { id: "a duplicate key", wire: '{"dataType":"bi","value":"x","value":"a"}' },
])("canonical text of $id is the network's", ({ wire }) => {
  expect(ownText(wire)).toBe(networkText(wire));
});

it("canonical text of random nested typed values is the network's", () => {
  const property = fc.property(nestedJson, (wire) => {
    expect(ownText(wire)).toBe(networkText(wire));
  });
  fc.assert(property, seeded(10_000));
});

it("canonical text of canonical text is the network's", () => {
  const property = fc.property(nestedJson, (wire) => {
    const text = ownText(wire);
    if (text === undefined) return;
    expect(ownText(text)).toBe(networkText(text));
  });
  fc.assert(property, seeded(3_000));
});

describe("the work on typed values", () => {
  const bigInteger = (value: string) => `{"dataType":"bi","value":${value}}`;
  const buffer = (data: string) => `{"type":"Buffer","data":${data}}`;
  const bytes = (length: number) =>
    `{"dataType":"u8ab","value":"${Buffer.alloc(length).toString("base64")}"}`;
  const nested = (levels: number, wrap: (inner: string) => string, inner: string) => {
    let text = inner;
    for (let level = 0; level < levels; level++) text = wrap(text);
    return text;
  };

  it.each([
    { id: "of digits", of: (max: number) => bigInteger(`"${"f".repeat(max)}"`), max: bigIntegerDigitsMax },
    {
      id: "of digits of a nested big integer",
      of: (max: number) => bigInteger(bigInteger(`"${"1".repeat(max)}"`)),
      max: nestedBigIntegerDigitsMax,
    },
    {
      id: "of nested lists as digits",
      of: (max: number) => bigInteger(nested(max, (inner) => `[${inner}]`, '"1"')),
      max: nestedListsMax,
    },
    {
      id: "of nested lists as a byte",
      of: (max: number) => buffer(`[${nested(max, (inner) => `[${inner}]`, '"1"')}]`),
      max: nestedListsMax,
    },
    { id: "of bytes as a byte", of: (max: number) => buffer(`[${bytes(max)}]`), max: nestedBytesMax },
  ])("is bounded by the number $id", ({ of, max }) => {
    expect(ownText(of(max))).toBe(networkText(of(max)));
    expect(() => canonicalText(of(max + 1))).toThrow(CanonicalTextError);
    expect(networkText(of(max + 1))).toBeDefined();
  });

  it.each([
    {
      id: "big integers whose digits are big integers",
      wire: nested(110, bigInteger, `"${"f".repeat(60)}"`),
    },
    { id: "a long chain of big integers", wire: nested(depthMax - 1, bigInteger, '"10"') },
    { id: "buffers whose bytes are big integers", wire: buffer(`[[${nested(110, bigInteger, '"ffff"')}]]`) },
    { id: "20,000 nested big integers", wire: nested(20_000, bigInteger, '"1"') },
    { id: "20,000 nested buffers", wire: nested(20_000, buffer, "[1]") },
    {
      id: "20,000 nested lists of bytes",
      wire: nested(20_000, (inner) => buffer(`[${inner}]`), "1"),
    },
    { id: "a megabyte of digits", wire: bigInteger(`"${"f".repeat(1_000_000)}"`) },
  ])("is not done for $id", ({ wire }) => {
    expect(() => canonicalText(wire)).toThrow(CanonicalTextError);
  });

  it("does not bound the depth of typed values that need no conversion", () => {
    const wire = nested(depthMax - 2, buffer, "[1]");
    expect(ownText(wire)).toBe(networkText(wire));
    const same = nested(depthMax - 1, bigInteger, '"1"');
    expect(ownText(same)).toBe(networkText(same));
  });
});
