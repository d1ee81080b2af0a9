import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ServeOptions } from "../../../src/app/serve.ts";
import type { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { hashedAccount, snapshotWith } from "../../restore/restorable.ts";
import { startServer } from "../running-server.ts";
import { type AccountData, syncRange } from "./core-client.ts";
import {
  firstPage,
  makeNode,
  type Node,
  post,
  signedBy,
  startUpstream,
  wholeRange,
} from "./served-accounts.ts";

async function syncFrom(url: string, node: Node) {
  return await syncRange(wholeRange, async (request) => {
    const { text } = await post(url, "/get_account_data_archiver", signedBy(node, request));
    const answer = JSON.parse(text) as { success: boolean; data: AccountData };
    if (!answer.success) throw new Error(text);
    return answer.data;
  });
}

function accountIdsIn(directory: string): string[] {
  const { artifacts } = JSON.parse(readFileSync(join(directory, "export-manifest.json"), "utf8")) as {
    artifacts: [string, string][];
  };
  return artifacts.flatMap(([, file]) => {
    const copies = JSON.parse(readFileSync(join(directory, file), "utf8")) as { accountId: string }[];
    return copies.map(({ accountId }) => accountId);
  });
}

async function refusalOf(action: Promise<unknown>): Promise<SnapshotError> {
  return await action.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: SnapshotError) => error,
  );
}

test("a restarting validator reads a published snapshot through serve, in front of an archiver", async () => {
  const directory = await snapshotWith(temporaryDirectory());
  const node = makeNode();
  const upstream = await startUpstream({ syncing: [node.publicKey] });
  const running = await startServer([directory], { upstream: upstream.url });
  const { accounts } = await syncFrom(running.url, node);
  expect(new Set(accounts.map(({ accountId }) => accountId))).toEqual(new Set(accountIdsIn(directory)));
  const report = await post(running.url, "/get_globalaccountreport_archiver", signedBy(node, {}));
  expect((JSON.parse(report.text) as { accounts: unknown[] }).accounts.length).toBe(1);
  const passed = await fetch(`${running.url}/cycleinfo/1`);
  expect(await passed.json()).toMatchObject({ cycleInfo: [{ mode: "restore" }] });
  const own = await fetch(`${running.url}/snapshots`);
  expect([own.status, upstream.requested.includes("/snapshots")]).toEqual([200, false]);
  await running.stop();
  expect(running.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["snapshot", "indexing", "restoring", "listening", "served"]),
  );
  expect(existsSync(`${directory}.index.sqlite3`)).toBe(true);
});

test("an index is used again when serve starts again", async () => {
  const directory = await snapshotWith(temporaryDirectory());
  const { url: upstream } = await startUpstream();
  const first = await startServer([directory], { upstream });
  await first.stop();
  const second = await startServer([directory], { upstream });
  expect(second.events.map(({ type }) => type)).not.toContain("indexing");
});

test("without an archiver behind it, serve refuses restarting validators, and builds no index", async () => {
  const directory = await snapshotWith(temporaryDirectory());
  const { url, events } = await startServer([directory]);
  const answers = [];
  for (const path of [
    "get_account_data_archiver",
    "get_account_data_by_list_archiver",
    "get_globalaccountreport_archiver",
  ])
    answers.push(await post(url, `/${path}`, signedBy(makeNode(), firstPage)));
  expect(answers.map(({ status, text }) => [status, text])).toEqual([
    [200, '{"error":"Account data can only be requested in restore mode!","success":false}'],
    [200, '{"error":"Account data by list can only be requested in restore mode!","success":false}'],
    [200, '{"error":"This server has no archiver behind it!","success":false}'],
  ]);
  expect(events).toContainEqual({ type: "restoring", name: null, mode: null });
  expect(existsSync(`${directory}.index.sqlite3`)).toBe(false);
});

test("of several snapshots, restarting validators get the one that is named", async () => {
  const [older, newer] = [temporaryDirectory(), temporaryDirectory()];
  const first = await snapshotWith(older);
  const second = await snapshotWith(newer, hashedAccount, { snapshotCycle: 9 });
  const node = makeNode();
  const { url: upstream } = await startUpstream({ syncing: [node.publicKey] });
  const unnamed = await refusalOf(startServer([first, second], { upstream }));
  expect([unnamed.code, unnamed.message]).toEqual([
    "usage",
    expect.stringMatching(/^several snapshots are served/),
  ]);
  const unknown = await refusalOf(startServer([first, second], { upstream, restoreFrom: "snapshot-1" }));
  expect(unknown.message).toBe("--restore-from names snapshot-1, which is not served");
  const names = [first, second].map((path) => path.slice(path.lastIndexOf("/") + 1));
  const { url } = await startServer([first, second], { upstream, restoreFrom: names[1] });
  const { accounts } = await syncFrom(url, node);
  expect(new Set(accounts.map(({ accountId }) => accountId))).toEqual(new Set(accountIdsIn(second)));
});

test("with --restore-from none, the archiver answers restarting validators itself", async () => {
  const directory = await snapshotWith(temporaryDirectory());
  const upstream = await startUpstream();
  const { url } = await startServer([directory], { upstream: upstream.url, restoreFrom: "none" });
  const { status } = await post(url, "/get_account_data_archiver", signedBy(makeNode(), firstPage));
  expect([status, upstream.requested.at(-1)]).toEqual([404, "/get_account_data_archiver"]);
  expect(existsSync(`${directory}.index.sqlite3`)).toBe(false);
});

test.each<{ readonly id: string; readonly options: Partial<ServeOptions> }>([
  { id: "--restore-from", options: { restoreFrom: "snapshot-1" } },
  { id: "--index-dir", options: { indexDir: "indexes" } },
  { id: "--bwlimit", options: { bwlimit: 1_000 } },
])("$id needs an archiver behind the server", async ({ id, options }) => {
  const directory = await snapshotWith(temporaryDirectory());
  const error = await refusalOf(startServer([directory], options));
  expect([error.code, error.message]).toEqual(["usage", `${id} needs --upstream`]);
});

test("an account with a timestamp in the future is refused when serve starts", async () => {
  const directory = await snapshotWith(temporaryDirectory(), (random, accountId, timestamp, isGlobal) => ({
    ...hashedAccount(random, accountId, timestamp, isGlobal),
    timestamp: isGlobal ? 4_000_000_000_000 : timestamp,
  }));
  const { url: upstream } = await startUpstream();
  const error = await refusalOf(startServer([directory], { upstream }));
  expect([error.code, error.message]).toEqual(["unrestorable", expect.stringMatching(/is in the future$/)]);
});

test("a snapshot in a directory that is moved away is not served to restarting validators", async () => {
  const directory = await snapshotWith(temporaryDirectory());
  const node = makeNode();
  const { url: upstream } = await startUpstream({ syncing: [node.publicKey] });
  const { url } = await startServer([directory], { upstream });
  renameSync(directory, `${directory}-away`);
  const { status } = await post(url, "/get_account_data_archiver", signedBy(node, firstPage));
  expect(status).toBe(503);
});
