import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "libsql";
import { expect, test } from "vitest";
import type { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import { indexedSnapshot } from "../../../src/serve/archiver/restore-service.ts";
import { AccountIndex } from "../../../src/serve/index/account-index.ts";
import type { IndexedSnapshot } from "../../../src/serve/index/build-index.ts";
import { CopyReader } from "../../../src/serve/index/copy-reader.ts";
import { ensureIndex, indexPath } from "../../../src/serve/index/ensure-index.ts";
import type { ServedSnapshot } from "../../../src/serve/served-snapshot.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { until } from "../../helpers/until.ts";
import { accountsOfCrowds } from "../archiver/random-accounts.ts";
import { snapshotOf, wholeRange } from "../archiver/served-accounts.ts";

const accounts = accountsOfCrowds([
  { timestamp: 1_690_000_000_000, accounts: 40 },
  { timestamp: 1_690_000_000_007, accounts: 30 },
]);

/** Sees to the index of a snapshot, and returns why it was built; null if it was not. */
async function ensure(snapshot: ServedSnapshot, indexed = indexedSnapshot(snapshot)): Promise<string | null> {
  let reason: string | null = null;
  await ensureIndex({ directory: snapshot.facts.directory }, indexed, {
    onBuild: (_path, why) => {
      reason = why;
    },
  });
  return reason;
}

/** Reads every account in order through the index. */
async function readAll(snapshot: ServedSnapshot): Promise<string[]> {
  const index = AccountIndex.open(indexPath(snapshot.facts));
  const files = snapshot.artifacts.map(({ file }) => file);
  const reader = new CopyReader(index, files, snapshot.facts.agreed.hashKey);
  const from = { ...wholeRange, tsStart: 0, tsEnd: Number.MAX_SAFE_INTEGER, accountOffset: "" };
  try {
    const found = await index.accountsFrom(from, 0, 1_000);
    return await Promise.all(found.map(async (account) => (await reader.read(account)).accountId));
  } finally {
    await reader.close();
    index.close();
  }
}

function idsInOrder(of: readonly WrappedData[]): string[] {
  return of
    .toSorted((a, b) => a.timestamp - b.timestamp || (a.accountId < b.accountId ? -1 : 1))
    .map(({ accountId }) => accountId);
}

async function errorOf(action: Promise<unknown>): Promise<SnapshotError> {
  return await action.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: SnapshotError) => error,
  );
}

test.each(["none", "gzip"] as const)(
  "an index is made once, and leads to every account (%s)",
  async (compression) => {
    const snapshot = await snapshotOf(accounts, compression);
    expect(await ensure(snapshot)).toBe("there is none yet");
    expect(await readAll(snapshot)).toEqual(idsInOrder(accounts));
    expect(await ensure(snapshot)).toBeNull();
    expect(readdirSync(dirname(snapshot.facts.directory)).sort()).toEqual([
      snapshot.name,
      `${snapshot.name}.index.sqlite3`,
    ]);
  },
);

test.each<{ readonly id: string; readonly damage: (path: string) => void; readonly reason: RegExp }>([
  { id: "cut off", damage: (path) => truncateSync(path, 8_192), reason: /damaged|malformed/ },
  {
    id: "another program's",
    damage: (path) => writeFileSync(path, "not a database"),
    reason: /not a (SQLite )?database/,
  },
  { id: "empty", damage: (path) => truncateSync(path, 0), reason: /not an index/ },
  {
    id: "of another version",
    damage: (path) => change(path, "PRAGMA user_version = 99"),
    reason: /it has version 99, not 1/,
  },
  {
    id: "without an account",
    damage: (path) => change(path, "DELETE FROM accounts WHERE rowid = 3"),
    reason: /missing/,
  },
  { id: "without an SQL index", damage: (path) => change(path, "DROP INDEX by_time"), reason: /tables/ },
  { id: "with zeros in the middle", damage: zeroMiddle, reason: /damaged|malformed|ended the process/ },
])("an index is built again if it is $id", async ({ damage, reason }) => {
  const snapshot = await snapshotOf(accounts);
  await ensure(snapshot);
  damage(indexPath(snapshot.facts));
  expect(await ensure(snapshot)).toMatch(reason);
  expect(await readAll(snapshot)).toEqual(idsInOrder(accounts));
});

function change(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

function zeroMiddle(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 4_096);
  writeFileSync(path, bytes);
}

test("an index is built again if it is that of another snapshot", async () => {
  const [snapshot, other] = [await snapshotOf(accounts), await snapshotOf(accounts.slice(5))];
  await ensure(snapshot);
  await ensure(other);
  copyFileSync(indexPath(other.facts), indexPath(snapshot.facts));
  expect(await ensure(snapshot)).toBe(`it is that of another snapshot, ${other.facts.digest}`);
  expect(await readAll(snapshot)).toEqual(idsInOrder(accounts));
});

test("a build that is killed leaves nothing that is taken for an index", async () => {
  const snapshot = await snapshotOf(accountsOfCrowds([{ timestamp: 5, accounts: 30_000 }]));
  const path = indexPath(snapshot.facts);
  const module = new URL("../../../dist/serve/index/ensure-index.js", import.meta.url).href;
  const order = JSON.stringify([{ directory: snapshot.facts.directory }, indexedSnapshot(snapshot)]);
  const script = `import { ensureIndex } from ${JSON.stringify(module)}; await ensureIndex(...${order});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const ended = once(child, "exit");
  await until(() => existsSync(`${path}.building`));
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(path)).toBe(false);
  expect(await ensure(snapshot)).toBe("there is none yet");
  expect((await readAll(snapshot)).length).toBe(1_000);
  expect(existsSync(`${path}.building`)).toBe(false);
});

test("an index can be in another directory", async () => {
  const snapshot = await snapshotOf(accounts);
  const indexDirectory = join(temporaryDirectory(), "indexes");
  const { directory } = snapshot.facts;
  const path = await ensureIndex({ directory, indexDirectory }, indexedSnapshot(snapshot));
  expect(path).toBe(join(indexDirectory, `${snapshot.name}.index.sqlite3`));
  expect(existsSync(indexPath({ directory }))).toBe(false);
});

test("an artifact that is not the agreed one is not indexed", async () => {
  const snapshot = await snapshotOf(accounts);
  const indexed = indexedSnapshot(snapshot);
  const wrong: IndexedSnapshot = {
    ...indexed,
    artifacts: indexed.artifacts.map((artifact) => ({ ...artifact, hash: "0".repeat(64) })),
  };
  const error = await errorOf(ensure(snapshot, wrong));
  expect([error.code, error.message]).toEqual([
    "verification",
    expect.stringMatching(/does not have the agreed hash$/),
  ]);
  expect(existsSync(indexPath(snapshot.facts))).toBe(false);
});

const oneMebibyte = 1024 * 1024;

test.each([
  {
    id: "a timestamp that no validator requests",
    of: accountsOfCrowds([{ timestamp: -1, accounts: 2 }]),
    message: "restarting validators would not receive 2 accounts",
  },
  {
    id: "a timestamp between two milliseconds",
    of: accountsOfCrowds([{ timestamp: 1.5, accounts: 1 }]),
    message: "restarting validators would not receive 1 account",
  },
  {
    id: "accounts of one timestamp that no response contains",
    of: accountsOfCrowds([{ timestamp: 77, accounts: 17, bytes: oneMebibyte }]),
    message:
      /^restarting validators could not receive the accounts of 1 timestamp: a page of them has more than 15728640 bytes/,
  },
])("a snapshot is refused at the start: $id", async ({ of, message }) => {
  const error = await errorOf(ensure(await snapshotOf(of)));
  expect(error.code).toBe("unrestorable");
  expect(error.message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  expect(error.details.length).toBeGreaterThan(0);
});

test("accounts of one timestamp that fill a response, and as many of the next, are accepted", async () => {
  const crowds = [1, 2, 3].map((timestamp) => ({ timestamp, accounts: 14, bytes: oneMebibyte }));
  expect(await ensure(await snapshotOf(accountsOfCrowds(crowds)))).toBe("there is none yet");
});

test("an artifact that changes after it was indexed is not served", async () => {
  const snapshot = await snapshotOf(accounts);
  await ensure(snapshot);
  const { file } = snapshot.artifacts.find(({ file: { size } }) => size > 2) ?? {};
  const path = file?.path ?? "";
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace('"hash":"', '"hash":"0').replace(/.(?=\]$)/, ""));
  await expect(readAll(snapshot)).rejects.toThrow(/changed on the disk/);
});

test("bytes that change in an open artifact are not served", async () => {
  const snapshot = await snapshotOf(accounts);
  await ensure(snapshot);
  const index = AccountIndex.open(indexPath(snapshot.facts));
  const files = snapshot.artifacts.map(({ file }) => file);
  const reader = new CopyReader(index, files, snapshot.facts.agreed.hashKey);
  const account = index.accountWith(accounts[0]?.accountId ?? "");
  if (account === undefined) throw new Error("the index has no such account");
  expect((await reader.read(account)).hash).toBe(accounts[0]?.stateId);
  const { path } = files[account.place.artifact] ?? { path: "" };
  const text = readFileSync(path, "utf8");
  const hash = accounts[0]?.stateId ?? "";
  writeFileSync(path, text.replace(`"hash":"${hash}"`, `"hash":"${hash.split("").reverse().join("")}"`));
  const error = await errorOf(reader.read(account));
  expect([error.code, error.message]).toEqual([
    "verification",
    expect.stringMatching(/: it is another one$/),
  ]);
  await reader.close();
  index.close();
});

test("another build of the same index is waited for by its operator", async () => {
  const snapshot = await snapshotOf(accounts);
  const path = indexPath(snapshot.facts);
  const script = `import { acquireRunLock } from ${JSON.stringify(new URL("../../../dist/store/run-lock.js", import.meta.url).href)};
    await acquireRunLock(${JSON.stringify(`${path}.lock`)}); console.log("locked"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const error = await errorOf(ensure(snapshot));
  child.kill("SIGKILL");
  await once(child, "exit");
  expect([error.code, error.message]).toEqual(["in-use", `another process builds ${path}`]);
  expect(await ensure(snapshot)).toBe("there is none yet");
});
