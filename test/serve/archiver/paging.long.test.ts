import { expect, test } from "vitest";
import { restorePageBytesMax } from "../../../src/limits/serve-archiver.ts";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import { Random } from "../../../src/testnet/state/random.ts";
import {
  type AccountData,
  type ClientOptions,
  type RangeRequest,
  type Received,
  syncRange,
} from "./core-client.ts";
import { accountsOfCrowds, randomCrowds } from "./random-accounts.ts";
import {
  makeNode,
  type Node,
  post,
  type RestoringServer,
  serveTo,
  signedBy,
  snapshotOf,
  startUpstream,
  wholeRange,
} from "./served-accounts.ts";

type Range = Pick<RangeRequest, "accountStart" | "accountEnd">;

interface Network {
  readonly server: RestoringServer;
  readonly nodes: readonly Node[];
}

async function serveAccounts(
  accounts: readonly WrappedData[],
  nodes: readonly Node[] = [makeNode()],
  compression: "none" | "gzip" = "none",
): Promise<Network> {
  const upstream = await startUpstream({ syncing: nodes.map(({ publicKey }) => publicKey) });
  return {
    server: await serveTo(await snapshotOf(accounts, compression), { upstream: upstream.url }),
    nodes,
  };
}

/** Reads a range as a validator does. */
async function sync(
  { server }: Network,
  node: Node | undefined,
  range: Range,
  options?: ClientOptions,
): Promise<Received> {
  if (node === undefined) throw new Error("there is no such node");
  return await syncRange(
    range,
    async (request) => {
      const { status, text } = await post(server.url, "/get_account_data_archiver", signedBy(node, request));
      if (Buffer.byteLength(text) > restorePageBytesMax) throw new Error("the client reads no such response");
      const answer = JSON.parse(text) as { success: boolean; data: AccountData };
      if (status !== 200 || !answer.success) throw new Error(`${status} ${text.slice(0, 200)}`);
      return answer.data;
    },
    options,
  );
}

/** Returns what a validator has lost of a range, and what it received that is wrong. */
function faultsOf(accounts: readonly WrappedData[], received: Received, range: Range): string[] {
  const wanted = new Map(
    accounts
      .filter(({ accountId }) => accountId >= range.accountStart && accountId <= range.accountEnd)
      .map((account) => [account.accountId, account]),
  );
  const faults: string[] = [];
  const found = new Set<string>();
  for (const { accountId, stateId, data, timestamp } of received.accounts) {
    found.add(accountId);
    if (
      JSON.stringify({ accountId, stateId, data, timestamp }) !==
      JSON.stringify(sorted(wanted.get(accountId) ?? {}))
    )
      faults.push(`${accountId} is wrong`);
  }
  for (const id of wanted.keys()) if (!found.has(id)) faults.push(`${id} is lost`);
  return faults;
}

/** Returns an account as responses have it. */
function sorted({ accountId, stateId, data, timestamp }: Partial<WrappedData>) {
  const fields = typeof data === "object" && data !== null ? Object.entries(data).sort() : undefined;
  return { accountId, stateId, data: fields === undefined ? data : Object.fromEntries(fields), timestamp };
}

/** Accounts that arrive again, apart from those of a timestamp that a page begins or ends with. */
function repeatsOf({ accounts }: Received): number {
  const crowd = new Map<number, Set<string>>();
  let repeats = 0;
  let newest = 0;
  for (const { accountId, timestamp } of accounts) {
    const ids = crowd.get(timestamp) ?? new Set();
    crowd.set(timestamp, ids);
    // A validator goes on with the last timestamp of a page, so those accounts come again.
    if (ids.has(accountId) && timestamp < newest) repeats++;
    ids.add(accountId);
    newest = Math.max(newest, timestamp);
  }
  return repeats;
}

function randomRange(random: Random): Range {
  const [accountStart = "", accountEnd = ""] = [random.hex(8), random.hex(8)].sort();
  return { accountStart, accountEnd };
}

test.each([
  { id: "one account", crowds: [1] },
  { id: "no account", crowds: [] },
  { id: "199 of one timestamp", crowds: [199, 300] },
  { id: "200 of one timestamp", crowds: [200, 300] },
  { id: "201 of one timestamp", crowds: [201, 300] },
  { id: "450 of one timestamp", crowds: [450, 10] },
  { id: "1,000 of each of two timestamps", crowds: [1_000, 1_000] },
  { id: "1,500 of the only timestamp", crowds: [1_500] },
  { id: "a page of each timestamp", crowds: [200, 200, 200, 200] },
])("a validator receives every account: $id", async ({ crowds }) => {
  const accounts = accountsOfCrowds(
    crowds.map((count, group) => ({ timestamp: 1_690_000_000_000 + group, accounts: count })),
  );
  const network = await serveAccounts(accounts);
  const received = await sync(network, network.nodes[0], wholeRange);
  expect(faultsOf(accounts, received, wholeRange)).toEqual([]);
  expect(repeatsOf(received)).toBe(0);
});

test.each([1, 2])(
  "validators receive every account of random timestamps and ranges (seed %i)",
  async (seed) => {
    const accounts = accountsOfCrowds(randomCrowds(seed, 25), seed);
    const network = await serveAccounts(accounts, undefined, seed % 2 === 0 ? "gzip" : "none");
    const random = new Random(seed, 99, 0);
    const ranges = [wholeRange, randomRange(random), randomRange(random), randomRange(random)];
    for (const range of ranges) {
      for (const options of [{}, { maxRecords: 50 + random.below(150) }, { withAccountOffset: false }]) {
        const received = await sync(network, network.nodes[0], range, options);
        expect(faultsOf(accounts, received, range), JSON.stringify({ range, options })).toEqual([]);
        expect(repeatsOf(received), JSON.stringify({ range, options })).toBe(0);
      }
    }
  },
);

test("ten validators at once receive every account of their ranges", async () => {
  const accounts = accountsOfCrowds(randomCrowds(7, 50), 7);
  const network = await serveAccounts(
    accounts,
    Array.from({ length: 10 }, () => makeNode()),
  );
  const random = new Random(11, 0, 0);
  await Promise.all(
    network.nodes.map(async (node) => {
      const range = randomRange(random);
      const received = await sync(network, node, range);
      expect(faultsOf(accounts, received, range)).toEqual([]);
    }),
  );
  expect(network.server.warnings).toEqual([]);
});

test("pages of large accounts end between two timestamps, and nothing is lost", async () => {
  const oneMegabyte = 1024 * 1024;
  const crowds = [
    { timestamp: 1_690_000_000_000, accounts: 9, bytes: oneMegabyte },
    { timestamp: 1_690_000_000_001, accounts: 9, bytes: oneMegabyte },
    { timestamp: 1_690_000_000_002, accounts: 14, bytes: oneMegabyte },
    { timestamp: 1_690_000_000_003, accounts: 300 },
    { timestamp: 1_690_000_000_004, accounts: 3, bytes: 4 * oneMegabyte },
    { timestamp: 1_690_000_000_009, accounts: 1, bytes: 7 * oneMegabyte },
  ];
  const accounts = accountsOfCrowds(crowds);
  const network = await serveAccounts(accounts);
  const received = await sync(network, network.nodes[0], wholeRange);
  expect(faultsOf(accounts, received, wholeRange)).toEqual([]);
  expect(received.pages).toBeGreaterThan(5);
});

test("accounts whose data is a text, or JSON in another form, are served", async () => {
  const timestamp = 1_690_000_000_000;
  const texts = [
    "not JSON",
    '{"b":1,"a":{"dataType":"bi","value":"0ff"}}',
    '"quoted"',
    "",
    '{"dataType":"bi","value":"zz"}',
  ];
  const accounts = texts.map((data, place) => {
    return { accountId: `${place}`.padEnd(64, "a"), stateId: "s", data, timestamp };
  });
  const network = await serveAccounts(accounts);
  const received = await sync(network, network.nodes[0], wholeRange);
  expect(received.accounts.map(({ data }) => data)).toEqual([
    ...["not JSON", { a: { dataType: "bi", value: "ff" }, b: 1 }],
    ...["quoted", "", '{"dataType":"bi","value":"zz"}'],
  ]);
});

/** How a server could page: the accounts from a place on, and how many of them one page has. */
interface Paging {
  readonly id: string;
  isAfter(account: WrappedData, request: RangeRequest): boolean;
  lengthOf(page: readonly WrappedData[]): number;
}

const byOrder: Paging["isAfter"] = ({ timestamp, accountId }, { tsStart, accountOffset }) =>
  timestamp > tsStart || (timestamp === tsStart && accountId >= accountOffset);
const untilNextTimestamp: Paging["lengthOf"] = (page) => {
  const limit = 150;
  return page.length <= limit
    ? page.length
    : page.findLastIndex((a, at) => at <= limit && a.timestamp !== page[at - 1]?.timestamp);
};

function answerOf(accounts: readonly WrappedData[], paging: Paging, request: RangeRequest): AccountData {
  const from = accounts.filter((account) => paging.isAfter(account, request));
  const page = from.slice(request.accountOffset === "" ? request.offset : 0).slice(0, request.maxRecords);
  const wrappedAccounts = page
    .slice(0, paging.lengthOf(page))
    .map((account) => sorted(account) as WrappedData);
  return { wrappedAccounts, wrappedAccounts2: [], lastUpdateNeeded: page.length === 0 };
}

test.each<Paging & { readonly loses: boolean }>([
  { id: "as this server pages", isAfter: byOrder, lengthOf: untilNextTimestamp, loses: false },
  {
    id: "pages that end anywhere",
    isAfter: byOrder,
    lengthOf: (page) => Math.min(page.length, 150),
    loses: true,
  },
  {
    id: "the offset for all timestamps, as the archiver",
    isAfter: ({ timestamp, accountId }, { tsStart, accountOffset }) =>
      timestamp >= tsStart && accountId >= accountOffset,
    lengthOf: (page) => page.length,
    loses: true,
  },
])("the checks of this file find lost accounts: $id", async (paging) => {
  const crowds = [40, 40, 40, 40, 40, 450, 60, 60, 60].map((accounts, group) => ({
    timestamp: 100 + group,
    accounts,
  }));
  // No page of these is larger than the largest that may not be cut.
  const accounts = accountsOfCrowds(
    paging.lengthOf === untilNextTimestamp ? crowds.filter(({ accounts: n }) => n < 100) : crowds,
  );
  accounts.sort((a, b) => a.timestamp - b.timestamp || (a.accountId < b.accountId ? -1 : 1));
  const received = await syncRange(wholeRange, (request) =>
    Promise.resolve(answerOf(accounts, paging, request)),
  );
  expect(faultsOf(accounts, received, wholeRange).some((fault) => fault.endsWith("is lost"))).toBe(
    paging.loses,
  );
});
