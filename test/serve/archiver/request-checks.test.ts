import { expect, test } from "vitest";
import { DEFAULT_HASH_KEY } from "../../../src/protocol/crypto/hash.ts";
import {
  checkAccountData,
  checkAccountList,
  checkReport,
  type RequestContext,
} from "../../../src/serve/archiver/request-checks.ts";
import { firstPage, makeNode, signedBy } from "./served-accounts.ts";

const node = makeNode();
const nowMs = 1_700_000_000_000;

const context: RequestContext = {
  hashKey: DEFAULT_HASH_KEY,
  nowMs,
  isRestoring: () => true,
  isNode: (publicKey) => publicKey === node.publicKey,
  hasPlaceFor: () => true,
};

const signedPage = (changes: object) => signedBy(node, { ...firstPage, ...changes });

function firstPageWithout(field: keyof typeof firstPage): object {
  return Object.fromEntries(Object.entries(firstPage).filter(([name]) => name !== field));
}

test.each<{ readonly id: string; readonly body: unknown; readonly error: string }>([
  { id: "no body", body: undefined, error: "input is undefined" },
  { id: "null", body: null, error: "input is null" },
  { id: "a text", body: "text", error: "input must be object, not string" },
  { id: "a list", body: [], error: "accountStart is required" },
  { id: "an empty object", body: {}, error: "accountStart is required" },
  {
    id: "a number as an address",
    body: signedPage({ accountStart: 5 }),
    error: "accountStart must be, string",
  },
  { id: "null as an address", body: signedPage({ accountEnd: null }), error: "accountEnd cannot be null" },
  { id: "a text as a time", body: signedPage({ tsStart: "0" }), error: "tsStart must be, number" },
  {
    id: "a big integer as a time",
    body: signedPage({ tsStart: { dataType: "bi", value: "0" } }),
    error: "tsStart must be, number",
  },
  {
    id: "no limit",
    body: { ...firstPageWithout("maxRecords"), sign: {} },
    error: "maxRecords is required",
  },
  { id: "no sign", body: firstPage, error: "sign is required" },
  { id: "a list as sign", body: { ...firstPage, sign: [] }, error: "sign must be, object" },
  {
    id: "a sign without sig",
    body: { ...firstPage, sign: { owner: "a" } },
    error: "Invalid sign object attached",
  },
  {
    id: "a stranger",
    body: signedBy(makeNode(), firstPage),
    error: "This node is not found in the nodelist!",
  },
  {
    id: "an address in upper case",
    body: signedPage({ accountEnd: "F".repeat(64) }),
    error: "Invalid account range",
  },
  { id: "a long address", body: signedPage({ accountEnd: "f".repeat(65) }), error: "Invalid account range" },
  { id: "a time to come", body: signedPage({ tsStart: nowMs + 1 }), error: "Invalid start timestamp" },
  { id: "a negative time", body: signedPage({ tsStart: -1 }), error: "Invalid start timestamp" },
  { id: "a part of a record", body: signedPage({ maxRecords: 0.5 }), error: "Invalid max records" },
  { id: "a negative offset", body: signedPage({ offset: -1 }), error: "Invalid offset" },
  { id: "a short account", body: signedPage({ accountOffset: "ab" }), error: "Invalid account offset" },
  { id: "another request than signed", body: { ...signedPage({}), tsStart: 1 }, error: "Invalid signature" },
])("a request for accounts is refused as the archiver does: $id", ({ body, error }) => {
  expect(checkAccountData(body, context)).toBe(error);
});

test("the checks come in the archiver's order", () => {
  const bad = { ...firstPage, accountStart: "g", tsStart: -1, maxRecords: 0, offset: -1, accountOffset: "x" };
  const request = { ...bad, sign: { owner: node.publicKey, sig: "" } };
  const steps: [Partial<RequestContext>, object, string][] = [
    [{ isRestoring: () => false }, {}, "Account data can only be requested in restore mode!"],
    [{ isNode: () => false }, {}, "This node is not found in the nodelist!"],
    [{ hasPlaceFor: () => false }, {}, "Archiver is busy serving other validators at the moment!"],
    [{}, {}, "Invalid account range"],
    [{}, { accountStart: "0".repeat(64) }, "Invalid start timestamp"],
    [{}, { tsStart: 0 }, "Invalid max records"],
    [{}, { maxRecords: 1 }, "Invalid offset"],
    [{}, { offset: 0 }, "Invalid account offset"],
    [{}, { accountOffset: "" }, "Invalid signature"],
  ];
  let body: object = request;
  for (const [changes, fields, error] of steps) {
    body = { ...body, ...fields };
    expect(checkAccountData(body, { ...context, ...changes })).toBe(error);
  }
});

test("a request that passes keeps its values", () => {
  expect(checkAccountData(signedPage({ isGlobal: true }), context)).toEqual({
    owner: node.publicKey,
    ...firstPage,
  });
});

test.each<{ readonly id: string; readonly body: unknown; readonly error: string }>([
  { id: "no list", body: signedBy(node, {}), error: "accountIds is required" },
  { id: "an object", body: signedBy(node, { accountIds: {} }), error: "accountIds must be, array" },
  { id: "an empty list", body: signedBy(node, { accountIds: [] }), error: "Invalid account ids" },
  { id: "a number", body: signedBy(node, { accountIds: [5] }), error: "Invalid account ids" },
  { id: "a short ID", body: signedBy(node, { accountIds: ["ab"] }), error: "Invalid account ids" },
  { id: "not signed", body: { accountIds: ["a".repeat(64)] }, error: "sign is required" },
])("a request for a list of accounts is refused as the archiver does: $id", ({ body, error }) => {
  expect(checkAccountList(body, context)).toBe(error);
});

test("the report of global accounts is for any key that signs", () => {
  expect(checkReport(signedBy(makeNode(), {}), DEFAULT_HASH_KEY)).toBeUndefined();
  expect(checkReport({ sign: { owner: "a", sig: "b" } }, DEFAULT_HASH_KEY)).toBe("Invalid signature");
  expect(checkReport({ sign: { owner: "a" } }, DEFAULT_HASH_KEY)).toBe("Invalid sign object attached");
});
