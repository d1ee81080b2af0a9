import { describe, expect, it } from "vitest";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import type { AccountCopy } from "../../src/restore/account-copy.ts";
import { AccountHashCounter, accountHash, accountHashRules } from "../../src/restore/account-hash.ts";

function copyOf(data: object, hash: string): AccountCopy {
  return { accountId: "0".repeat(64), data: canonicalTextOf(data), hash, isGlobal: 0, timestamp: 1 };
}

function countsOf(copy: AccountCopy, rules = accountHashRules) {
  const counter = new AccountHashCounter(DEFAULT_HASH_KEY, rules);
  counter.add(copy, JSON.parse(copy.data));
  return counter.counts;
}

describe("the hash of an account's data", () => {
  it("does not exist for data that is not an object", () => {
    expect(["text", 17, null, []].map((data) => accountHash("data", data, DEFAULT_HASH_KEY))).toEqual(
      Array(4).fill(undefined),
    );
  });

  const hashOf = (value: object) => hashText(canonicalTextOf(value));
  it.each([
    {
      id: "an account",
      data: { accountType: 0, account: { nonce: 1 }, ethAddress: "0x", timestamp: 5, hash: "" },
      expected: hashOf({ EVMAccountInfo: { nonce: 1 }, timestamp: 5 }),
    },
    {
      id: "an account of an operator",
      data: {
        accountType: 0,
        account: { nonce: 1 },
        operatorAccountInfo: { stake: 2 },
        timestamp: 5,
        hash: "",
      },
      expected: hashOf({ EVMAccountInfo: { nonce: 1 }, operatorAccountInfo: { stake: 2 }, timestamp: 5 }),
    },
    {
      id: "storage of a contract",
      data: { accountType: 1, key: "k", value: "v", timestamp: 5, hash: "" },
      expected: hashOf({ key: "k", value: "v" }),
    },
    {
      id: "code of a contract",
      data: { accountType: 2, codeHash: "k", codeByte: "v", timestamp: 5, hash: "" },
      expected: hashOf({ key: "k", value: "v" }),
    },
    {
      id: "a receipt",
      data: { accountType: 3, txId: "k", receipt: "v", timestamp: 5, hash: "" },
      expected: hashOf({ key: "k", value: "v" }),
    },
    {
      id: "any other account",
      data: { accountType: 5, network: 1, hash: "" },
      expected: hashOf({ accountType: 5, network: 1 }),
    },
  ])("covers the fields that Shardeum 1.14 hashes of $id", ({ data, expected }) => {
    expect(accountHash("shardeum-1.14", data, DEFAULT_HASH_KEY)).toBe(expected);
  });
});

describe("the counter of account hashes", () => {
  const inner = { a: 1, zz: { hash: "b" } };
  it.each([
    { id: "in the middle", rest: inner },
    { id: "first", rest: { z: 1 } },
    { id: "last", rest: { a: 1 } },
    { id: "alone", rest: {} },
  ])("finds the rule where the member of the hash is $id", ({ rest }) => {
    const hash = hashText(canonicalTextOf(rest));
    expect(countsOf(copyOf({ ...rest, hash }, hash))).toEqual({ data: 1, "shardeum-1.14": 0, neither: 0 });
  });

  it("finds the rule where an inner member has the same hash", () => {
    const hash = accountHash("data", { a: { hash: "x" } }, DEFAULT_HASH_KEY) ?? "";
    const copy = copyOf({ a: { hash: "x" }, hash }, hash);
    expect(countsOf(copy).data).toBe(1);
  });

  it("counts an account of Shardeum 1.14 for its rule, and for neither if that is not tried", () => {
    const data = { accountType: 1, key: "k", value: "v", timestamp: 5 };
    const hash = accountHash("shardeum-1.14", data, DEFAULT_HASH_KEY) ?? "";
    expect(countsOf(copyOf({ ...data, hash }, hash))["shardeum-1.14"]).toBe(1);
    expect(countsOf(copyOf({ ...data, hash }, hash), ["data"]).neither).toBe(1);
  });

  it("counts an account with any other hash for neither", () => {
    expect(countsOf(copyOf({ a: 1, hash: "ab" }, "ab")).neither).toBe(1);
  });
});
