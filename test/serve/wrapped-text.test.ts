/** Accounts are sent so that who receives them computes the copy that was hashed. */

import { describe, expect, it } from "vitest";
import { accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import { wrappedText } from "../../src/serve/accounts/wrapped-text.ts";

const accountId = "ab".repeat(32);
const hash = "cd".repeat(32);

describe("the text of an account", () => {
  it.each([
    { id: "an object", data: '{"a":1,"b":[]}', isValue: true },
    { id: "a list", data: "[1,2]", isValue: true },
    { id: "a big integer", data: '{"n":{"dataType":"bi","value":"ff"}}', isValue: true },
    { id: "bytes", data: '{"n":{"value":"AAE=","dataType":"u8ab"}}', isValue: true },
    { id: "a text", data: "plain", isValue: false },
    { id: "an empty text", data: "", isValue: false },
    { id: "a text with quotes", data: 'a "quoted" \\ text', isValue: false },
    { id: "a number as text", data: "5", isValue: false },
    { id: "JSON whose keys are not in order", data: '{"b":1,"a":2}', isValue: false },
    { id: "JSON with white space", data: '{"a": 1}', isValue: false },
    { id: "JSON with a repeated key", data: '{"a":1,"a":1}', isValue: false },
    { id: "a number beyond JSON's", data: '{"a":1e999}', isValue: false },
    { id: "a big integer in another form", data: '{"n":{"dataType":"bi","value":"0FF"}}', isValue: false },
    { id: "the beginning of an object", data: '{"a":', isValue: false },
    { id: "a key with a meaning in JavaScript", data: '{"__proto__":{"a":1}}', isValue: undefined },
  ])("gives the same copy for $id", ({ data, isValue }) => {
    for (const isGlobal of [0, 1] as const) {
      const copy = { accountId, data, hash, isGlobal, timestamp: 1_700_000_000_000 };
      const account = JSON.parse(wrappedText(copy)) as WrappedData;
      expect(JSON.parse(accountCopyText(account))).toEqual(copy);
      expect(account.stateId).toBe(hash);
      if (isValue !== undefined) expect(typeof account.data).toBe(isValue ? "object" : "string");
    }
  });
});
