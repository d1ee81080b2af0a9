/** `POST /snapshot` and `GET /snapshot-data` of a served snapshot. */

import { renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import { canonicalText } from "../../src/protocol/crypto/canonical-text.ts";
import {
  accountsOf,
  postSnapshot,
  publishedSnapshot,
  type StoredAccount,
  startServer,
} from "./running-server.ts";

const plain = publishedSnapshot({ accounts: 300 });
const compressed = publishedSnapshot({ accounts: 300 }, "gzip");

const copyOf = (account: WrappedData) => JSON.parse(accountCopyText(account)) as StoredAccount;
const sorted = (accounts: readonly StoredAccount[]) =>
  accounts.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
const address = (digit: string, rest: string) => digit + rest.repeat(63);
const query = (fields: Record<string, string | number>) =>
  new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();

describe.each(["plain", "compressed"])("a served snapshot with %s artifacts", (kind) => {
  const directory = () => (kind === "plain" ? plain : compressed).directory;
  const { accounts } = plain;

  it("gives every account, so that its copy is the one that the validators hashed", async () => {
    const { url } = await startServer([directory()]);
    const got = await accountsOf(await postSnapshot(url, { timestamp: plain.timestamp }));
    expect(got).toHaveLength(303);
    expect(got.map(copyOf)).toEqual(accounts());
    // As validators send them: data are objects, not their text.
    expect(typeof got[5]?.data).toBe("object");
  });

  it.each([
    { id: "a range of one address", from: 40, to: 40, isGlobal: false },
    { id: "a range within a partition", from: 10, to: 20, isGlobal: false },
    { id: "a range over several partitions", from: 30, to: 250, isGlobal: false },
    { id: "a range from the first account on", from: 3, to: 150, isGlobal: undefined },
  ])("gives exactly $id", async ({ from, to, isGlobal }) => {
    const { url } = await startServer([directory()]);
    const all = accounts();
    const others = all.filter((account) => account.isGlobal === 0);
    const [low, high] = [others[from - 3]?.accountId ?? "", others[to - 3]?.accountId ?? ""];
    const fields = isGlobal === undefined ? {} : { isGlobal };
    const body = { timestamp: plain.timestamp, accountStart: low, accountEnd: high, ...fields };
    const got = await accountsOf(await postSnapshot(url, body));
    const wanted = all.filter(
      (account) =>
        low <= account.accountId &&
        account.accountId <= high &&
        (isGlobal === undefined || account.isGlobal === 0),
    );
    expect(got.map(copyOf)).toEqual(wanted);
  });

  it("gives the global accounts alone, or none of them", async () => {
    const { url } = await startServer([directory()]);
    for (const isGlobal of [true, false]) {
      const got = await accountsOf(await postSnapshot(url, { timestamp: plain.timestamp, isGlobal }));
      expect(got.map(copyOf)).toEqual(
        accounts().filter((account) => account.isGlobal === (isGlobal ? 1 : 0)),
      );
      for (const { syncData } of got) expect(syncData?.isGlobal ?? false).toBe(isGlobal);
    }
  });

  it("gives the accounts that changed at a moment or later", async () => {
    const { url } = await startServer([directory()]);
    const times = accounts()
      .map(({ timestamp }) => timestamp)
      .sort((a, b) => a - b);
    const changedSince = times[200] ?? 0;
    const got = await accountsOf(await postSnapshot(url, { timestamp: plain.timestamp, changedSince }));
    expect(got.map(copyOf)).toEqual(accounts().filter(({ timestamp }) => timestamp >= changedSince));
    expect(got.length).toBeLessThan(303);
    expect(got.length).toBeGreaterThan(0);
  });

  it("gives an empty list where there is no account", async () => {
    const { url } = await startServer([directory()]);
    const [one] = accounts().filter(({ isGlobal }) => isGlobal === 0);
    const behind = `${one?.accountId.slice(0, 63)}${one?.accountId.endsWith("f") ? "e" : "f"}`;
    const body = { timestamp: plain.timestamp, accountStart: behind, accountEnd: behind };
    expect(await (await postSnapshot(url, body)).text()).toBe('{"snapshot":[]}');
  });
});

describe("GET /snapshot-data", () => {
  it.each([
    {
      id: "both addresses",
      fields: { startAddr: address("3", "0"), endAddr: address("9", "f") },
      globals: false,
    },
    { id: "one address", fields: { startAddr: address("3", "0") }, globals: false },
    { id: "no address", fields: {}, globals: true },
    {
      id: "a range and isGlobal=true",
      fields: { startAddr: address("0", "0"), endAddr: address("f", "f"), isGlobal: "true" },
      globals: "only",
    },
    { id: "isGlobal=false", fields: { isGlobal: "false" }, globals: false },
  ])(
    "with $id gives the accounts of the range, and global ones only where they are asked for",
    async (one) => {
      const { url } = await startServer([plain.directory]);
      const { startAddr = "0", endAddr = "g" } = one.fields as Record<string, string>;
      const inRange = ({ accountId }: StoredAccount) => startAddr <= accountId && accountId <= endAddr;
      const wanted = plain.accounts().filter((account) => {
        if (!inRange(account)) return false;
        return one.globals === "only"
          ? account.isGlobal === 1
          : one.globals === true || account.isGlobal === 0;
      });
      const got = await accountsOf(
        await fetch(`${url}/snapshot-data?${query({ timestamp: plain.timestamp, ...one.fields })}`),
      );
      expect(sorted(got.map(copyOf))).toEqual(sorted(wanted));
      expect(wanted.length).toBeGreaterThan(0);
    },
  );

  it("gives each account once to a network of another size that divides the addresses", async () => {
    const { url } = await startServer([plain.directory]);
    const got: WrappedData[] = [];
    for (const digit of "0123456789abcdef") {
      const range = query({
        timestamp: plain.timestamp,
        startAddr: address(digit, "0"),
        endAddr: address(digit, "f"),
      });
      got.push(...(await accountsOf(await fetch(`${url}/snapshot-data?${range}`))));
    }
    expect(got.map(copyOf)).toEqual(plain.accounts().filter(({ isGlobal }) => isGlobal === 0));
  });

  it("reads no artifact outside the range", async () => {
    const { url } = await startServer([compressed.directory]);
    const fields = { timestamp: plain.timestamp, startAddr: address("0", "0"), endAddr: address("0", "f") };
    // A reader of another artifact would find it missing, which a check of the whole snapshot would find, too.
    const far = `${compressed.directory}/partition-00004.json.gz`;
    renameSync(far, `${far}.away`);
    try {
      const got = await accountsOf(await fetch(`${url}/snapshot-data?${query(fields)}`));
      expect(got.length).toBeGreaterThan(0);
    } finally {
      renameSync(`${far}.away`, far);
    }
  });
});

describe("a request for accounts", () => {
  it.each([
    { id: "another moment", body: { timestamp: 60_000 }, status: 404, says: "no snapshot of 60000" },
    { id: "no timestamp", body: {}, status: 400, says: /^timestamp: / },
    { id: "a list", body: "[]", status: 400, says: /^the body: / },
    { id: "no JSON", body: "{", status: 400, says: "the body is not JSON" },
    { id: "no body", body: "", status: 400, says: "the body is not JSON" },
    {
      id: "a short address",
      body: { timestamp: 1, accountStart: "00" },
      status: 400,
      says: /^accountStart: not 64/,
    },
    { id: "a body of 5 KB", body: `{"x":"${"x".repeat(5_000)}"}`, status: 413, says: /more than 4096 bytes/ },
  ])("is refused in JSON for $id", async ({ body, status, says }) => {
    const { url } = await startServer([plain.directory]);
    const response = await postSnapshot(url, body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const { error } = (await response.json()) as { error: string };
    expect(error).toEqual(typeof says === "string" ? says : expect.stringMatching(says));
  });

  it.each([
    { id: "no timestamp", text: "", says: /^timestamp: not a whole number/ },
    { id: "a fraction", text: "timestamp=1.5", says: /^timestamp: not a whole number/ },
    { id: "upper case", text: `timestamp=1&startAddr=${"A".repeat(64)}`, says: /^startAddr: not 64/ },
    {
      id: "a reversed range",
      text: `timestamp=1&startAddr=${"b".repeat(64)}&endAddr=${"a".repeat(64)}`,
      says: /below/,
    },
    { id: "a repeated field", text: "timestamp=1&timestamp=2", says: "timestamp: given twice" },
    { id: "a number as flag", text: "timestamp=1&isGlobal=1", says: "isGlobal: neither true nor false" },
  ])("by GET is refused for $id", async ({ text, says }) => {
    const { url } = await startServer([plain.directory]);
    const response = await fetch(`${url}/snapshot-data?${text}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toMatch(says);
  });

  it.each([
    { accepts: "gzip", encoding: "gzip" },
    { accepts: "gzip;q=0.5, identity", encoding: null },
    { accepts: "br", encoding: null },
    { accepts: "identity;q=0.1, *", encoding: "gzip" },
    { accepts: "gzip;q=0", encoding: null },
  ])(
    "of a client that accepts $accepts is answered with the encoding $encoding",
    async ({ accepts, encoding }) => {
      const { url } = await startServer([plain.directory]);
      const response = await postSnapshot(
        url,
        { timestamp: plain.timestamp },
        { headers: { "accept-encoding": accepts } },
      );
      expect(response.headers.get("content-encoding")).toBe(encoding);
      expect(await accountsOf(response)).toHaveLength(303);
    },
  );

  it("is answered with data that the network's own functions turn into the same text", async () => {
    const { url } = await startServer([plain.directory]);
    const text = await (await postSnapshot(url, { timestamp: plain.timestamp })).text();
    const { snapshot } = JSON.parse(text) as { snapshot: WrappedData[] };
    for (const [index, { data }] of snapshot.entries()) {
      expect(canonicalText(JSON.stringify(data))).toBe(plain.accounts()[index]?.data);
    }
  });
});
