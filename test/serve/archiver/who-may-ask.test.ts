import { expect, test } from "vitest";
import { validatorServedMs } from "../../../src/limits/serve-archiver.ts";
import { Bandwidth } from "../../../src/serve/archiver/page-turns.ts";
import { ServedValidators } from "../../../src/serve/archiver/served-validators.ts";
import { ValidatorLog } from "../../../src/serve/archiver/validator-log.ts";
import { deadUrl, httpServer } from "../../helpers/servers.ts";
import { until } from "../../helpers/until.ts";
import { accountsOfCrowds } from "./random-accounts.ts";
import {
  firstPage,
  makeNode,
  type Node,
  post,
  type RestoringServer,
  serveTo,
  signedBy,
  snapshotOf,
  startUpstream,
} from "./served-accounts.ts";

const accounts = accountsOfCrowds([{ timestamp: 1_690_000_000_000, accounts: 3 }]);

const texts = {
  mode: '{"error":"Account data can only be requested in restore mode!","success":false}',
  listMode: '{"error":"Account data by list can only be requested in restore mode!","success":false}',
  node: '{"error":"This node is not found in the nodelist!","success":false}',
  busy: '{"error":"Archiver is busy serving other validators at the moment!","success":false}',
};

async function ask(
  server: RestoringServer,
  node: Node,
  changes: Partial<typeof firstPage> = {},
): Promise<string> {
  const request = signedBy(node, { ...firstPage, ...changes });
  return (await post(server.url, "/get_account_data_archiver", request)).text;
}

async function askList(server: RestoringServer, node: Node): Promise<string> {
  const request = signedBy(node, { accountIds: accounts.map(({ accountId }) => accountId) });
  return (await post(server.url, "/get_account_data_by_list_archiver", request)).text;
}

const isServed = (text: string) => (JSON.parse(text) as { success: boolean }).success;

test.each(["forming", "processing", "restart", "recovery", "shutdown"])(
  "nobody gets accounts while the network is in the mode %s, and the report of global accounts is given",
  async (mode) => {
    const node = makeNode();
    const upstream = await startUpstream({ mode, syncing: [node.publicKey] });
    const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url });
    expect(await ask(server, node)).toBe(texts.mode);
    expect(await askList(server, node)).toBe(texts.listMode);
    const report = await post(server.url, "/get_globalaccountreport_archiver", signedBy(node, {}));
    expect(JSON.parse(report.text)).toMatchObject({ ready: true, accounts: [] });
  },
);

test.each(["active", "syncing"] as const)(
  "a node that is %s gets accounts, and a stranger does not",
  async (state) => {
    const [node, stranger] = [makeNode(), makeNode()];
    const upstream = await startUpstream({ [state]: [node.publicKey] });
    const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url });
    expect(isServed(await ask(server, node))).toBe(true);
    expect(isServed(await askList(server, node))).toBe(true);
    expect(await ask(server, stranger)).toBe(texts.node);
    expect(await askList(server, stranger)).toBe(texts.node);
  },
);

test("a node that has just joined, and a mode that has just begun, are asked for at once, at most once a second", async () => {
  const node = makeNode();
  const upstream = await startUpstream({ mode: "restart" });
  const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url });
  upstream.state.mode = "restore";
  upstream.state.syncing.push(node.publicKey);
  const before = upstream.requested.length;
  const beganMs = performance.now();
  let refusals = 0;
  while (!isServed(await ask(server, node))) refusals++;
  // Refused until a second has passed since the server asked when it started.
  expect(refusals).toBeGreaterThan(0);
  expect(upstream.requested.length - before).toBeLessThanOrEqual(
    3 * Math.ceil((performance.now() - beganMs) / 1_000),
  );
});

test("the mode and the nodes are asked for every cycle", async () => {
  const node = makeNode();
  const upstream = await startUpstream({ syncing: [node.publicKey], durationSeconds: 1 });
  const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url });
  expect(isServed(await ask(server, node))).toBe(true);
  upstream.state.mode = "processing";
  const asked = upstream.requested.length;
  await until(() => upstream.requested.length >= asked + 6);
  expect(await ask(server, node)).toBe(texts.mode);
});

test.each(["fails", "hangs"] as const)(
  "nobody gets accounts if the archiver %s from the start",
  async (behaviour) => {
    const node = makeNode();
    const upstream = await startUpstream({ syncing: [node.publicKey], behaviour });
    const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url });
    upstream.state.behaviour = "fails";
    expect(await ask(server, node)).toBe(texts.mode);
    expect(server.warnings.length).toBe(1);
    expect(server.warnings[0]).toMatch(/^the archiver behind this server does not state the mode/);
  },
);

test("an archiver that cannot be reached is reported, and again when it answers", async () => {
  const server = await serveTo(await snapshotOf(accounts), { upstream: await deadUrl() });
  expect(await ask(server, makeNode())).toBe(texts.mode);
  expect(server.warnings.length).toBe(1);
});

test.each([
  { id: "not JSON", body: "restore" },
  { id: "null", body: "null" },
  { id: "no cycle", body: '{"cycleInfo":[],"nodeList":[]}' },
  { id: "nodes that are no list", body: '{"cycleInfo":[{"mode":"restore"}],"nodeList":{}}' },
  { id: "a refusal", body: '{"success":false,"error":"no"}' },
])("nobody gets accounts if the archiver answers with $id", async ({ body }) => {
  const url = await httpServer((_request, response) => void response.end(body));
  const server = await serveTo(await snapshotOf(accounts), { upstream: url });
  expect(await ask(server, makeNode())).toBe(texts.mode);
  expect(server.warnings.length).toBe(1);
});

test("as many validators as allowed are served at a time, and the others are told so", async () => {
  const nodes = Array.from({ length: 3 }, () => makeNode());
  const upstream = await startUpstream({ syncing: nodes.map(({ publicKey }) => publicKey) });
  const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url, maxValidators: 2 });
  const [first, second, third] = nodes as [Node, Node, Node];
  expect(isServed(await ask(server, first))).toBe(true);
  // A request that is refused before its signature is checked takes no place.
  expect(await ask(server, second, { maxRecords: 0 })).toBe(
    '{"error":"Invalid max records","success":false}',
  );
  expect(isServed(await ask(server, third))).toBe(true);
  expect(await ask(server, second)).toBe(texts.busy);
  expect(isServed(await ask(server, first))).toBe(true);
  // Lists are of few accounts, and count for no place.
  expect(isServed(await askList(server, second))).toBe(true);
});

test("a validator that requests nothing for ten seconds leaves its place to another", () => {
  const validators = new ServedValidators(1);
  validators.serve("a", 1_000);
  expect(validators.hasPlaceFor("b", 1_000 + validatorServedMs)).toBe(false);
  expect(validators.hasPlaceFor("a", 1_000 + validatorServedMs)).toBe(true);
  expect(validators.hasPlaceFor("b", 1_001 + validatorServedMs)).toBe(true);
  expect(validators.count).toBe(0);
});

test("responses beyond the bandwidth wait, and those that would wait too long are refused", () => {
  const bandwidth = new Bandwidth(1_000);
  expect(bandwidth.waitFor(3_000, 0)).toBe(0);
  expect(bandwidth.waitFor(1_000, 500)).toBe(2_500);
  expect(bandwidth.waitFor(10_000, 4_000)).toBe(0);
  expect(bandwidth.waitFor(1, 5_000)).toBeUndefined();
  expect(new Bandwidth().waitFor(10 ** 9, 0)).toBe(0);
});

test("a server beyond its bandwidth tells validators that it is busy", async () => {
  const node = makeNode();
  const upstream = await startUpstream({ syncing: [node.publicKey] });
  const server = await serveTo(await snapshotOf(accounts), { upstream: upstream.url, bytesPerSecond: 10 });
  expect(isServed(await ask(server, node))).toBe(true);
  expect(await ask(server, node)).toBe(texts.busy);
});

test("the log has one line for each range that a validator received", () => {
  const lines: string[] = [];
  const log = new ValidatorLog((line) => lines.push(line));
  const page = { accountStart: "0".repeat(64), accountEnd: "4".padEnd(64, "f") };
  log.add({ ...page, validator: "a1".repeat(32), accounts: 200 }, 0);
  log.add({ ...page, validator: "b2".repeat(32), accounts: 1 }, 0);
  log.add({ ...page, validator: "a1".repeat(32), accounts: 7 }, 10);
  log.add({ ...page, validator: "a1".repeat(32), accounts: 0 }, 20);
  log.sweep(60_001);
  log.close();
  expect(lines).toEqual([
    "validator a1a1a1a1: range 00000000–4fffffff, 207 accounts in 3 pages, complete",
    "validator b2b2b2b2: range 00000000–4fffffff, 1 account in 1 page, not requested to its end",
  ]);
});

test("a snapshot that changed on the disk is served to nobody", async () => {
  const node = makeNode();
  const upstream = await startUpstream({ syncing: [node.publicKey] });
  const snapshot = await snapshotOf(accounts);
  const server = await serveTo(snapshot, { upstream: upstream.url });
  const { writeFileSync } = await import("node:fs");
  for (const { file } of snapshot.artifacts) writeFileSync(file.path, "[]");
  await snapshot.check();
  const answer = await post(server.url, "/get_account_data_archiver", signedBy(node, firstPage));
  expect([answer.status, answer.text]).toEqual([
    503,
    expect.stringMatching(/"statusCode":503.*no longer as verified/),
  ]);
});
