import { expect, test } from "vitest";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import { canonicalText } from "../../../src/protocol/crypto/canonical-text.ts";
import { isSignedBy } from "../../../src/protocol/crypto/signature.ts";
import { httpServer } from "../../helpers/servers.ts";
import { readVectors } from "../../helpers/vectors.ts";
import { type Answer, post, type RestoringServer, serveTo, snapshotOf } from "./served-accounts.ts";

/** What a client sent to the published archiver (3.7.7) in restore mode, and what it answered. */
interface Exchange {
  readonly name: string;
  readonly path: string;
  readonly request: unknown;
  readonly status: number;
  readonly contentType?: string;
  readonly body: Body | string;
}

interface Body {
  readonly data?: {
    readonly delta: number;
    readonly highestTs: number;
    readonly wrappedAccounts: readonly WrappedData[];
  };
  readonly accountData?: readonly WrappedData[];
  readonly accounts?: readonly { id: string; hash: string; timestamp: number }[];
  readonly sign?: unknown;
}

/** A request to the same archiver, and the exact text of its answer. */
interface PlainExchange {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly request?: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const { exchanges } = readVectors<{ exchanges: readonly Exchange[] }>("archiver-restore-mode");
const lists = readVectors<{ exchanges: readonly PlainExchange[] }>("archiver-restore-lists");

/**
 * Requests that the archiver answers wrongly. Its SQL answers a list of two IDs with no account. With an account offset, it
 * also leaves out accounts of later timestamps, if their IDs are smaller.
 */
const wrong = { list: "by list: two", offset: "account offset" } as const;

/** When the archiver answered, unless an answer tells. */
const answeredMs = 1_795_261_900_600;

/** All accounts in the answers, and global ones of which the answers have only the hash. */
function accountsOf(): WrappedData[] {
  const accounts = new Map<string, WrappedData>();
  const globals = new Map<string, WrappedData>();
  for (const { body } of exchanges) {
    if (typeof body === "string") continue;
    for (const { id, hash, timestamp } of body.accounts ?? []) {
      globals.set(id, { accountId: id, stateId: hash, data: { id }, timestamp });
    }
    for (const account of [...(body.data?.wrappedAccounts ?? []), ...(body.accountData ?? [])])
      accounts.set(account.accountId, account);
  }
  for (const [id, account] of globals)
    accounts.set(id, { ...(accounts.get(id) ?? account), syncData: { isGlobal: true } });
  return [...accounts.values()];
}

async function startServer(now: () => number): Promise<RestoringServer> {
  const upstream = await httpServer((request, response) => {
    const exchange = lists.exchanges.find(
      ({ method, path }) => method === request.method && path === request.url,
    );
    const known = request.url === "/cycleinfo/1" ? newestCycle() : exchange;
    response.writeHead(known?.status ?? 500, known?.headers).end(known?.body);
  });
  return await serveTo(await snapshotOf(accountsOf()), { upstream, now });
}

function newestCycle(): PlainExchange {
  const [exchange] = lists.exchanges.filter(({ path }) => path === "/cycleinfo/3");
  if (exchange === undefined) throw new Error("the vectors have no cycles");
  return exchange;
}

function withoutSign(text: string): Record<string, unknown> {
  const { sign: _sign, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

const signedAnswer = (body: Body | string): body is Body =>
  typeof body === "object" && body.sign !== undefined;

test("every recorded exchange of the published archiver gives the same text, apart from the signature", async () => {
  let nowMs = answeredMs;
  const server = await startServer(() => nowMs);
  const failed: string[] = [];
  for (const { name, path = "/get_account_data_archiver", request, status, contentType, body } of exchanges) {
    const { highestTs = 0, delta = 0 } = typeof body === "object" ? (body.data ?? {}) : {};
    nowMs = highestTs === 0 ? answeredMs : highestTs + delta;
    const sent = request ?? `"${"x".repeat(1024 * 1024)}"`;
    const answer = await post(server.url, path, sent);
    const isSame =
      answer.status === status &&
      (contentType === undefined || answer.contentType === contentType) &&
      (signedAnswer(body) ? isSameSigned(answer, body) : answer.text === textOf(body));
    if (isSame === isWrong(name)) failed.push(`${name}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }
  expect(failed).toEqual([]);
  expect(exchanges.length).toBe(28);
});

function isWrong(name: string): boolean {
  return Object.values<string>(wrong).includes(name);
}

function exchangeNamed(name: string): Exchange {
  const exchange = exchanges.find((one) => one.name === name);
  if (exchange === undefined) throw new Error(`there is no exchange ${name}`);
  return exchange;
}

function isSameSigned(answer: Answer, body: Body): boolean {
  const expected = JSON.stringify(body);
  return (
    JSON.stringify(withoutSign(answer.text)) === JSON.stringify(withoutSign(expected)) &&
    answer.text === canonicalText(answer.text) &&
    Object.keys(JSON.parse(answer.text)).join() === Object.keys(JSON.parse(expected)).join() &&
    isSignedBy(JSON.parse(answer.text))
  );
}

function textOf(body: Body | string): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

test("a list of several global accounts is answered with all of them", async () => {
  const server = await startServer(() => answeredMs);
  const { request, path } = exchangeNamed(wrong.list);
  const { accountIds } = request as { accountIds: string[] };
  const { text } = await post(server.url, path, request);
  const { accountData } = JSON.parse(text) as { accountData: WrappedData[] };
  expect(accountData.map(({ accountId }) => accountId)).toEqual(accountIds);
  expect(accountData.length).toBe(2);
});

test("an account offset leaves out no account of a later timestamp", async () => {
  const server = await startServer(() => answeredMs);
  const [offset, page] = [exchangeNamed(wrong.offset), exchangeNamed("page 2")];
  const { text } = await post(server.url, offset.path, offset.request);
  const { data } = JSON.parse(text) as { data: NonNullable<Body["data"]> };
  const idsOf = (accounts: readonly WrappedData[]) => accounts.map(({ accountId }) => accountId);
  // The offset is the first account of its timestamp, so the page is the same as without it.
  const expected = typeof page.body === "object" ? page.body.data?.wrappedAccounts : undefined;
  expect(idsOf(data.wrappedAccounts)).toEqual(idsOf(expected ?? []));
  const archivers = typeof offset.body === "object" ? offset.body.data?.wrappedAccounts : undefined;
  expect(idsOf(archivers ?? [])).not.toEqual(idsOf(expected ?? []));
});

test("every other request gets the archiver's own answer", async () => {
  const server = await startServer(() => answeredMs);
  const own = /_archiver$/;
  const passed = lists.exchanges.filter(({ path }) => !own.test(path));
  expect(passed.length).toBe(29);
  for (const { method, path, request, status, headers, body } of passed) {
    // Several requests have one path, and the stand-in answers them with the first.
    const first = lists.exchanges.find((other) => other.method === method && other.path === path);
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: request === undefined ? {} : { "content-type": "application/json" },
      ...(request === undefined ? {} : { body: request }),
    });
    expect(response.status, path).toBe(first?.status ?? status);
    expect(response.headers.get("content-type"), path).toBe(headers["content-type"]);
    expect(await response.text(), path).toBe(first?.body ?? body);
  }
});

test("the restore routes give the recorded texts in front of the recorded archiver", async () => {
  const server = await startServer(() => answeredMs);
  for (const { path, request = "", body } of lists.exchanges.filter(({ path }) =>
    path.endsWith("_archiver"),
  )) {
    const { text } = await post(server.url, path, request);
    expect(withoutSign(text), path).toEqual(withoutSign(body));
  }
});
