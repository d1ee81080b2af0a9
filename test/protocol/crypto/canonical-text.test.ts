import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { depthMax } from "../../../src/limits/json.ts";
import {
  CanonicalTextError,
  canonicalText,
  canonicalTextOf,
} from "../../../src/protocol/crypto/canonical-text.ts";
import { seeded } from "../../helpers/seeded.ts";
import { networkText } from "../network-text.ts";
import { longBuffer, textOf, wireJson, withoutBuffersInSig } from "../wire-json.ts";

const space = fc.constantFrom("", " ", "\n\t", "\r\n  ");

describe("canonical text", () => {
  it("equals that of the network's own code", () => {
    const property = fc.property(wireJson, space, (json, between) => {
      const text = textOf(json, undefined, between);
      expect(canonicalText(text)).toBe(networkText(text));
    });
    fc.assert(property, seeded(3000));
  });

  it("is its own canonical text", () => {
    const property = fc.property(wireJson, (json) => {
      const text = canonicalText(textOf(withoutBuffersInSig(json)));
      expect(canonicalText(text)).toBe(text);
    });
    fc.assert(property, seeded(3000));
  });

  it("of a long-form buffer under sig has the short form, which is not converted again", () => {
    // This is the only text that is not a fixed point, also in the network's own code.
    const property = fc.property(longBuffer, (buffer) => {
      const text = `{"sig":${textOf(buffer)}}`;
      const once = canonicalText(text);
      expect(once).toMatch(/^\{"sig":\{"value":"[^"]*","dataType":"bb"\}\}$/);
      expect(once).toBe(networkText(text));
      expect(canonicalText(once)).toBe(networkText(once));
    });
    fc.assert(property, seeded(300));
  });

  it("depends neither on the order of keys nor on white space", () => {
    const shuffled = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
    const property = fc.property(wireJson, shuffled, space, (json, random, between) => {
      const order = <T>(entries: readonly T[]) =>
        entries
          .map((entry) => ({ entry, rank: random.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry }) => entry);
      expect(canonicalText(textOf(json, order, between))).toBe(canonicalText(textOf(json)));
    });
    fc.assert(property, seeded(1500));
  });

  it("parses to the received value, apart from typed values and forbidden keys", () => {
    const property = fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      fc.pre(!/"(dataType|type|__proto__|constructor|prototype)":/.test(JSON.stringify(value)));
      expect(JSON.parse(canonicalTextOf(JSON.parse(JSON.stringify(value))))).toEqual(
        JSON.parse(JSON.stringify(value), (_, part) => (Object.is(part, -0) ? 0 : part)),
      );
    });
    fc.assert(property, seeded(500));
  });

  it.each([
    { id: "a text that is not JSON", text: "{a:1}" },
    { id: "an empty text", text: "" },
    { id: "two values", text: "{}{}" },
  ])("of $id throws a SyntaxError", ({ text }) => {
    expect(() => canonicalText(text)).toThrow(SyntaxError);
  });

  it.each([
    { id: "of non-hexadecimal digits", value: '"xyz"' },
    { id: "of no digits", value: '""' },
    { id: "with a sign", value: '"-ff"' },
    { id: "with a prefix", value: '"0xff"' },
    { id: "a fraction", value: "1.5" },
    { id: "null", value: "null" },
    { id: "an object", value: "{}" },
  ])("of a big integer with a value $id is rejected, as by the network", ({ value }) => {
    const text = `{"a":[{"dataType":"bi","value":${value}}]}`;
    expect(() => canonicalText(text)).toThrow(CanonicalTextError);
    expect(networkText(text)).toBeUndefined();
  });

  it("of a big integer without a value is rejected", () => {
    expect(() => canonicalText('{"dataType":"bi"}')).toThrow(CanonicalTextError);
  });

  it("of a malformed big integer directly under sig is that of an ordinary object", () => {
    expect(canonicalText('{"sig":{"value":"xyz","dataType":"bi"}}')).toBe(
      '{"sig":{"dataType":"bi","value":"xyz"}}',
    );
  });

  it.each([
    { id: "lists", open: "[", close: "]" },
    { id: "objects", open: '{"a":', close: "}" },
  ])("goes $id as deep as the bound, and no deeper", ({ open, close }) => {
    const nested = (depth: number) => `${open.repeat(depth)}0${close.repeat(depth)}`;
    expect(canonicalText(nested(depthMax))).toBe(nested(depthMax));
    expect(() => canonicalText(nested(depthMax + 1))).toThrow(`nested more than ${depthMax} levels deep`);
    expect(() => canonicalText(nested(100 * depthMax))).toThrow(CanonicalTextError);
  });

  it("is only of what JSON.parse can have returned", () => {
    expect(() => canonicalTextOf(undefined)).toThrow(TypeError);
    expect(() => canonicalTextOf([1n])).toThrow(TypeError);
  });
});
