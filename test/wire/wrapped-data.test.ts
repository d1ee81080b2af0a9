import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountValuesMax } from "../../src/limits/json.ts";
import { parseWrappedData } from "../../src/wire/wrapped-data.ts";
import { seeded } from "../helpers/seeded.ts";
import { hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

const account = {
  accountId: "a".repeat(64),
  stateId: "b".repeat(64),
  data: { balance: { dataType: "bi", value: "ff" } },
  timestamp: 1_700_000_000_123,
};

function parse(value: unknown, source = "test") {
  return parseWrappedData(Buffer.from(JSON.stringify(value)), source);
}

describe("an account on the wire", () => {
  it.each([
    { id: "nothing", syncData: undefined, isGlobal: false },
    { id: "null", syncData: null, isGlobal: false },
    { id: "an empty object", syncData: {}, isGlobal: false },
    { id: "isGlobal null", syncData: { isGlobal: null }, isGlobal: false },
    { id: "isGlobal false", syncData: { isGlobal: false }, isGlobal: false },
    { id: "isGlobal true", syncData: { isGlobal: true, more: 1 }, isGlobal: true },
  ])("with syncData $id is global: $isGlobal", ({ syncData, isGlobal }) => {
    expect(parse({ ...account, syncData })).toEqual({ ...account, syncData: { isGlobal } });
  });

  it("is not global through an inherited property", () => {
    const text = JSON.stringify(account).replace(/}$/, ',"syncData":{"__proto__":{"isGlobal":true}}}');
    expect(parseWrappedData(Buffer.from(text), "test").syncData).toEqual({ isGlobal: false });
  });

  it("may have any data", () => {
    const property = fc.property(fc.jsonValue(), (value) => {
      const data: unknown = JSON.parse(JSON.stringify(value));
      expect(parse({ ...account, data }).data).toEqual(data);
    });
    fc.assert(property, seeded(200));
  });

  it.each([
    {
      id: "a missing account ID",
      changes: { accountId: undefined },
      says: "accountId: expected 64 lower-case hex digits, got nothing",
    },
    { id: "an account ID in capitals", changes: { accountId: "A".repeat(64) }, says: "accountId: expected" },
    {
      id: "a list as account ID",
      changes: { accountId: ["a".repeat(64)] },
      says: "accountId: expected",
    },
    { id: "hostile text as account ID", changes: { accountId: hostileText }, says: "accountId: expected" },
    {
      id: "a missing state ID",
      changes: { stateId: undefined },
      says: "stateId: expected a hash, got nothing",
    },
    { id: "a number as state ID", changes: { stateId: 5 }, says: "stateId: expected a hash, got 5" },
    {
      id: "missing data",
      changes: { data: undefined },
      says: "data: expected the account's data, got nothing",
    },
    {
      id: "a missing timestamp",
      changes: { timestamp: undefined },
      says: "timestamp: expected milliseconds, got nothing",
    },
    {
      id: "a string as timestamp",
      changes: { timestamp: "1" },
      says: 'timestamp: expected milliseconds, got "1"',
    },
    {
      id: "a string as syncData",
      changes: { syncData: hostileText },
      says: "syncData: expected an object, got",
    },
    {
      id: "a number as isGlobal",
      changes: { syncData: { isGlobal: 1 } },
      says: "syncData.isGlobal: expected true or false, got 1",
    },
  ])(
    "with $id is rejected with a message that names field, expected and actual value",
    ({ changes, says }) => {
      expect(wireErrorOf((source) => parse({ ...account, ...changes }, source))).toContain(says);
    },
  );

  it("with an infinite timestamp is rejected", () => {
    const text = JSON.stringify(account).replace("1700000000123", "1e999");
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text), source))).toContain("timestamp: ");
  });

  it.each(["null", "1", '"text"'])("cannot be parsed from %s", (text) => {
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text), source))).toContain(
      "expected an account",
    );
  });

  it("with too many values is rejected before it is parsed", () => {
    const withValues = (count: number) =>
      Buffer.from(JSON.stringify({ ...account, data: Array(count).fill(0) }));
    // The account, its other fields and the data itself count as well.
    expect(parseWrappedData(withValues(accountValuesMax - 10), "test").accountId).toBe(account.accountId);
    expect(wireErrorOf((source) => parseWrappedData(withValues(accountValuesMax), source))).toBe(
      `more than ${accountValuesMax} values`,
    );
  });

  it.each([
    { id: "a truncated text", text: '{"accountId":"a' },
    { id: "a mismatched bracket", text: "{]" },
    { id: "hostile text", text: `{${hostileText}}` },
    { id: "a text that is not UTF-8", text: "{\xff\xfe}" },
  ])("that is not JSON is rejected: $id", ({ text }) => {
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text, "latin1"), source))).toMatch(
      /^not JSON: /,
    );
  });
});
