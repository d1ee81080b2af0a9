/** Accounts are sent so that who receives them computes the copy that was hashed. */

import { describe, expect, it } from "vitest";
import type { AccountCopy, CopyBatch } from "../../src/artifact/account-copies.ts";
import { accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { AccountWriter } from "../../src/serve/accounts/wrapped-text.ts";

const accountId = "ab".repeat(32);
const hash = "cd".repeat(32);
const shard = makeShard({ numNodes: 3 });

function batchOf(copies: readonly AccountCopy[]): CopyBatch {
  const texts = copies.map((copy) => canonicalTextOf(copy));
  return { copies, bytes: Buffer.from(texts.join(",")) };
}

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
      const [text = ""] = new AccountWriter(shard).textsOf(batchOf([copy]));
      const account = JSON.parse(text) as WrappedData;
      expect(JSON.parse(accountCopyText(account))).toEqual(copy);
      expect(account.stateId).toBe(hash);
      if (isValue !== undefined) expect(typeof account.data).toBe(isValue ? "object" : "string");
    }
  });

  it("is right for each account of a batch, if the data of one of them only look like a value", () => {
    const datas = [
      '{"a":1}',
      '{"b":1,"a":2}',
      "[",
      '{},"x":{}},{"accountId":"',
      '{"b":{"dataType":"bi","value":"ff"}}',
    ];
    const copies = datas.map((data, index) => {
      return { accountId: String(index).repeat(64), data, hash, isGlobal: 0 as const, timestamp: 1 };
    });
    const writer = new AccountWriter(shard);
    // The second time, the writer knows that the reader of responses is no help with such accounts.
    for (const _ of [1, 2]) {
      const accounts = writer.textsOf(batchOf(copies)).map((text) => JSON.parse(text) as WrappedData);
      expect(accounts.map((account) => JSON.parse(accountCopyText(account)))).toEqual(copies);
      expect(accounts.map(({ data }) => typeof data)).toEqual([
        "object",
        "string",
        "string",
        "string",
        "object",
      ]);
    }
  });
});
