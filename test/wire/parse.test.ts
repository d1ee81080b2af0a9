import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quotedCharactersMax } from "../../src/limits/text.ts";
import { parseNetconfig } from "../../src/wire/netconfig.ts";
import { describe as describeValue, parseJson, quoted } from "../../src/wire/parse.ts";
import { seeded } from "../helpers/seeded.ts";
import { faultOfMessage, hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

describe("outside text in a message", () => {
  it("is shortened and has no control characters", () => {
    const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
    const property = fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const short = quoted(text);
      expect(short.length).toBeLessThanOrEqual(quotedCharactersMax + 1);
      expect(short).not.toMatch(unseen);
      const isHarmless = !unseen.test(text);
      if (text.length <= quotedCharactersMax && isHarmless) expect(short).toBe(text);
    });
    fc.assert(property, seeded(500));
    expect(faultOfMessage(quoted(hostileText))).toBeUndefined();
  });

  it.each([
    { value: undefined, text: "nothing" },
    { value: null, text: "null" },
    { value: "a\nb", text: '"a\\nb"' },
    { value: { a: [1] }, text: "an object" },
    { value: [[[1]]], text: "a list" },
  ])("is described as $text without its items", ({ value, text }) => {
    expect(describeValue(value)).toBe(text);
  });
});

describe("a text that is not JSON", () => {
  it.each([
    { id: "HTML", text: "<!doctype html><title>It works!</title>\n", says: "it begins with " },
    { id: "an empty text", text: "", says: 'it begins with ""' },
    { id: "hostile text", text: hostileText, says: "not JSON: " },
    { id: "a truncated text", text: '{"nodeList":[', says: "not JSON: " },
  ])("is reported with its beginning: $id", ({ text, says }) => {
    expect(wireErrorOf((source) => parseJson(text, source))).toContain(says);
  });
});

describe("network settings", () => {
  const settings = (sharding: object) => ({ config: { sharding, cycleDuration: 60 }, extra: 1 });

  it.each([
    { id: "group and edge", sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 }, edge: 2 },
    { id: "no edge", sharding: { nodesPerConsensusGroup: 5 }, edge: undefined },
    {
      id: "a null edge",
      sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: null },
      edge: undefined,
    },
    { id: "an edge of 0", sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 0 }, edge: 0 },
  ])("may have $id", ({ sharding, edge }) => {
    expect(parseNetconfig(settings(sharding), "test")).toMatchObject({
      nodesPerConsensusGroup: 5,
      nodesPerEdge: edge,
    });
  });

  it.each([
    {
      id: "no group",
      sharding: {},
      says: "config.sharding.nodesPerConsensusGroup: expected a number of nodes, got nothing",
    },
    {
      id: "an empty group",
      sharding: { nodesPerConsensusGroup: 0 },
      says: "expected at least 1 node, got 0",
    },
    {
      id: "a fractional group",
      sharding: { nodesPerConsensusGroup: 2.5 },
      says: "expected a number of nodes, got 2.5",
    },
    {
      id: "a negative edge",
      sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: -1 },
      says: "config.sharding.nodesPerEdge: expected a number of nodes, got -1",
    },
  ])("are rejected with $id", ({ sharding, says }) => {
    expect(wireErrorOf((source) => parseNetconfig(settings(sharding), source))).toContain(says);
  });

  it.each([{ received: null }, { received: {} }, { received: { config: 5 } }])(
    "cannot be parsed from $received",
    ({ received }) => {
      expect(wireErrorOf((source) => parseNetconfig(received, source))).not.toBe("");
    },
  );
});
