import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AssembleResult } from "../../src/app/assemble.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { olderFixture } from "../../src/testnet/cluster/fixture.ts";
import {
  copiesOf,
  createArchiverDatabase,
  insertAccounts,
  type StoredCopy,
} from "../helpers/archiver-database.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, failureOf } from "./run.ts";

const fixture = smallFixture({
  nodes: 9,
  accounts: 900,
  globalAccounts: 20,
  changes: { sinceCycle: 7, seed: "later", changed: 0.05, created: 0.01, deleted: 0 },
});

const scratch = makeTemporaryDirectory();
let newer: Cluster;
/** The newer snapshot, all of it fetched. */
let whole: AssembleResult;
/** The accounts of the older and of the newer snapshot. */
let older: StoredCopy[];
let current: StoredCopy[];

beforeAll(async () => {
  const first = await startCluster(olderFixture(fixture));
  older = copiesOf((await assembleFrom(first, { out: scratch, seed: ["none"] })).directory);
  await first.stop();
  newer = await startCluster(fixture);
  whole = await assembleFrom(newer, { out: scratch, seed: ["none"] });
  current = copiesOf(whole.directory);
});

afterAll(async () => {
  await newer.stop();
  removeDirectory(scratch);
});

/** A folder as an archiver has it. */
function archiverFolder(copies: readonly StoredCopy[]): {
  folder: string;
  path: string;
  database: Database.Database;
} {
  const folder = temporaryDirectory();
  const path = join(folder, "accounts.sqlite3");
  return { folder, path, database: createArchiverDatabase(path, copies) };
}

async function assembleSame(source: string): Promise<AssembleResult> {
  const result = await assembleFrom(newer, { seed: [`archiver-db:${source}`] });
  expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
  expect(result.offences).toEqual([]);
  return result;
}

const shuffled = (copies: readonly StoredCopy[]) => copies.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));

describe("an archiver's database as a seed", () => {
  it("saves all that has not changed, and nothing is left beside it", async () => {
    const { path: open, database } = archiverFolder(shuffled(older));
    database.pragma("wal_checkpoint(TRUNCATE)");
    // As an archiver leaves it that has ended: the library ends a connection only once its statements are collected.
    const folder = temporaryDirectory();
    const path = join(folder, "accounts.sqlite3");
    copyFileSync(open, path);
    for (const source of [folder, path]) {
      const { bytes } = await assembleSame(source);
      expect(bytes.received).toBeLessThan(0.2 * whole.bytes.received);
      expect(bytes.seeded).toBeGreaterThan(0.8 * whole.bytes.received);
    }
    expect(readdirSync(folder)).toEqual(["accounts.sqlite3"]);
  });

  it("is read with its last commits while the archiver has it open", async () => {
    const { path, database } = archiverFolder(older.slice(0, 500));
    insertAccounts(database, older.slice(500));
    const { bytes } = await assembleSame(path);
    expect(bytes.received).toBeLessThan(0.2 * whole.bytes.received);
    insertAccounts(database, older.slice(0, 1));
    database.close();
  });

  it("takes no request for accounts if it has the state of the moment", async () => {
    const { path, database } = archiverFolder(shuffled(current));
    database.close();
    const { bytes, queries } = await assembleSame(path);
    expect(queries).toEqual([]);
    expect(bytes.received).toBe(0);
  });

  it("is used without the accounts that were created or changed after the moment", async () => {
    const [first, second] = current.filter(({ isGlobal }) => isGlobal === 0);
    const later = { data: '{"later":true}', timestamp: newer.snapshotTimestamp + 1 };
    const created = { ...(first as StoredCopy), ...later, accountId: "7".repeat(64) };
    const changed = { ...(second as StoredCopy), ...later };
    const { path, database } = archiverFolder([...current, created, changed]);
    insertAccounts(database, [changed]);
    database.close();
    const { bytes } = await assembleSame(path);
    // Only the partition of the changed account lacks a version.
    expect(bytes.received).toBeLessThan(0.3 * whole.bytes.received);
  });

  it("is used after a snapshot that lacks no versions", async () => {
    const { path, database } = archiverFolder([
      ...current,
      { ...(current[0] as StoredCopy), accountId: "7".repeat(64), timestamp: newer.snapshotTimestamp + 1 },
    ]);
    database.close();
    const result = await assembleFrom(newer, { seed: [`archiver-db:${path}`, whole.directory] });
    expect(result.queries).toEqual([]);
    expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
  });

  it.each([
    { id: "data that is not text", sql: "UPDATE accounts SET data = x'00ff' WHERE rowid % 100 = 1" },
    { id: "data that is not UTF-8", sql: "UPDATE accounts SET data = CAST(x'00ff' AS TEXT) WHERE rowid = 1" },
    { id: "data that is a number", sql: "UPDATE accounts SET data = '17' WHERE rowid = 1" },
    { id: "an invalid address", sql: "UPDATE accounts SET accountId = 'ab' WHERE rowid = 1" },
    { id: "another timestamp", sql: "UPDATE accounts SET timestamp = timestamp - 5 WHERE rowid % 300 = 1" },
    { id: "a hash that is not text", sql: "UPDATE accounts SET hash = x'01' WHERE rowid % 300 = 1" },
    { id: "missing accounts", sql: "DELETE FROM accounts WHERE rowid % 2 = 1" },
    { id: "local accounts as global ones", sql: "UPDATE accounts SET isGlobal = 1 WHERE rowid % 300 = 2" },
  ])("with $id never gives another snapshot, and costs at most what it touches", async ({ sql }) => {
    const { path, database } = archiverFolder(older);
    expect(database.prepare(sql).run([]).changes).toBeGreaterThan(0);
    database.close();
    const { bytes } = await assembleSame(path);
    expect(bytes.received).toBeLessThan(1.3 * whole.bytes.received);
  });

  it("is rejected if it is not one, or has no accounts of the time", async () => {
    const folder = temporaryDirectory();
    const write = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    mkdirSync(join(folder, "empty"));
    const { path: none, database } = archiverFolder([]);
    database.close();
    const { path: other, database: cycles } = archiverFolder([]);
    cycles.exec("DROP TABLE accounts; CREATE TABLE cycles(counter NUMBER)");
    cycles.close();
    const rebuilt = (schema: string) => {
      const { path, database: hostile } = archiverFolder([]);
      hostile.exec(`DROP TABLE accounts; ${schema}`);
      hostile.close();
      return path;
    };
    const view = rebuilt(`CREATE VIEW accounts(accountId, data, timestamp, hash, isGlobal) AS
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT printf('%064x', x), '{}', x, 'h', 0 FROM c`);
    const computed = rebuilt(`CREATE TABLE accounts(accountId TEXT PRIMARY KEY, timestamp BIGINT, hash TEXT,
      isGlobal BOOLEAN, data TEXT GENERATED ALWAYS AS (printf('%1000000000d', timestamp)))`);
    const cases = [
      { path: join(folder, "missing.sqlite3"), message: "it does not exist" },
      { path: join(folder, "empty"), message: "accounts.sqlite3" },
      {
        path: write("text.sqlite3", "this is not a database, however long it is ".repeat(100)),
        message: "not a database",
      },
      { path: none, message: `it has no account of ${newer.snapshotTimestamp} or before` },
      { path: other, message: "it has no table of accounts" },
      { path: view, message: "it has no table of accounts" },
      { path: computed, message: "its table of accounts has computed columns" },
    ];
    for (const { path, message } of cases) {
      const failure = await failureOf(assembleFrom(newer, { seed: [`archiver-db:${path}`] }));
      expect(failure).toMatchObject({
        code: "configuration",
        hint: expect.stringContaining("accounts.sqlite3"),
      });
      expect(failure.message).toContain(`cannot use the seed ${path}: `);
      expect(failure.message).toContain(message);
    }
  });
});
