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

  it("is not global by what an object inherits", () => {
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
      id: "no account ID",
      changes: { accountId: undefined },
      says: "accountId: expected 64 lower-case hex digits, got nothing",
    },
    { id: "an account ID in capitals", changes: { accountId: "A".repeat(64) }, says: "accountId: expected" },
    {
      id: "an account ID that is a list",
      changes: { accountId: ["a".repeat(64)] },
      says: "accountId: expected",
    },
    { id: "a hostile account ID", changes: { accountId: hostileText }, says: "accountId: expected" },
    { id: "no state ID", changes: { stateId: undefined }, says: "stateId: expected a hash, got nothing" },
    { id: "a state ID that is none", changes: { stateId: 5 }, says: "stateId: expected a hash, got 5" },
    { id: "no data", changes: { data: undefined }, says: "data: expected the account's data, got nothing" },
    {
      id: "no timestamp",
      changes: { timestamp: undefined },
      says: "timestamp: expected milliseconds, got nothing",
    },
    {
      id: "a timestamp as text",
      changes: { timestamp: "1" },
      says: 'timestamp: expected milliseconds, got "1"',
    },
    {
      id: "syncData that is a text",
      changes: { syncData: hostileText },
      says: "syncData: expected an object, got",
    },
    {
      id: "isGlobal as a number",
      changes: { syncData: { isGlobal: 1 } },
      says: "syncData.isGlobal: expected true or false, got 1",
    },
  ])("with $id is refused, by field, expected and got", ({ changes, says }) => {
    expect(wireErrorOf((source) => parse({ ...account, ...changes }, source))).toContain(says);
  });

  it("with a timestamp that no number holds is refused", () => {
    const text = JSON.stringify(account).replace("1700000000123", "1e999");
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text), source))).toContain("timestamp: ");
  });

  it.each(["null", "1", '"text"'])("that is %s is refused", (text) => {
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text), source))).toContain(
      "expected an account",
    );
  });

  it("of more values than the bound is refused before it is parsed, whatever it is", () => {
    const withValues = (count: number) =>
      Buffer.from(JSON.stringify({ ...account, data: Array(count).fill(0) }));
    // Beside its data's values it has the data, the other fields, and itself.
    expect(parseWrappedData(withValues(accountValuesMax - 10), "test").accountId).toBe(account.accountId);
    expect(wireErrorOf((source) => parseWrappedData(withValues(accountValuesMax), source))).toBe(
      `more than ${accountValuesMax} values`,
    );
  });

  it.each([
    { id: "cut off", text: '{"accountId":"a' },
    { id: "closed by a bracket", text: "{]" },
    { id: "hostile", text: `{${hostileText}}` },
    { id: "no UTF-8", text: "{\xff\xfe}" },
  ])("that is no JSON is refused: $id", ({ text }) => {
    expect(wireErrorOf((source) => parseWrappedData(Buffer.from(text, "latin1"), source))).toMatch(
      /^not JSON: /,
    );
  });
});
