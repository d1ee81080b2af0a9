import { copyFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restore } from "../../src/app/restore.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { appendShutdown } from "../../src/restore/archiver/shutdown-record.ts";
import { txList } from "../../src/testnet/cluster/cycle-records.ts";
import { failureOf } from "../app/run.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { filesOf, snapshotWith } from "./restorable.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
beforeAll(async () => {
  snapshot = await snapshotWith(scratch);
});
afterAll(() => removeDirectory(scratch));

const archivers = [
  {
    ip: "192.0.2.1",
    port: 4000,
    publicKey: "758b1c119412298802cd28dbfa394cdfeecc4074492d60844cc192d632d84de3",
  },
];

/** An archiver's folder with the cycle records of a network that ended without a shutdown. */
function folderWith(records: readonly Record<string, unknown>[]): string {
  const [made, folder] = [temporaryDirectory(), temporaryDirectory()];
  const database = new Database(join(made, "cycles.sqlite3"));
  database.pragma("journal_mode = WAL");
  database.exec(
    "CREATE TABLE cycles(cycleMarker TEXT NOT NULL UNIQUE PRIMARY KEY, counter NUMBER NOT NULL, cycleRecord JSON NOT NULL)",
  );
  const insert = database.prepare("INSERT INTO cycles VALUES (?, ?, ?)");
  for (const record of records) insert.run([record["marker"], record["counter"], JSON.stringify(record)]);
  database.pragma("wal_checkpoint(TRUNCATE)");
  copyFileSync(join(made, "cycles.sqlite3"), join(folder, "cycles.sqlite3"));
  return folder;
}

function recordsOf(folder: string): Record<string, unknown>[] {
  const database = new Database(`file:${join(folder, "cycles.sqlite3")}?mode=ro&immutable=1`);
  const rows = database
    .prepare("SELECT cycleMarker, counter, cycleRecord FROM cycles ORDER BY counter")
    .all([]);
  database.close();
  return (rows as { cycleRecord: string }[]).map(({ cycleRecord }) => JSON.parse(cycleRecord));
}

const newest = {
  counter: 9,
  mode: "processing",
  start: 1_700_000_540,
  duration: 60,
  active: 5,
  removed: [],
  txadd: ["t"],
  marker: "cd".repeat(32),
  previous: "ab".repeat(32),
};
const older = { ...newest, counter: 8, marker: "ab".repeat(32) };

describe("the record of the shutdown", () => {
  it("follows the newest record, and has the fields that the archiver's own script sets", async () => {
    const folder = folderWith([newest, older]);
    const result = await restore(snapshot, {
      to: "archiver",
      archiverDb: folder,
      appendShutdown: true,
      archivers,
    });
    const records = recordsOf(folder);
    expect(records.map(({ counter }) => counter)).toEqual([8, 9, 10]);
    const record = records[2] ?? {};
    expect(record).toMatchObject({
      mode: "shutdown",
      removed: ["all"],
      previous: newest.marker,
      start: newest.start,
      lostArchivers: [],
      refutedArchivers: [],
      removedArchivers: [],
      standbyAdd: [],
      standbyRemove: [],
      txadd: [],
      txremove: [],
      txlisthash: hashText(canonicalTextOf(txList)),
    });
    expect(record["archiversAtShutdown"]).toMatchObject(archivers);
    expect(record["marker"]).toBe(cycleMarker(record, DEFAULT_HASH_KEY));
    expect(result.nextSteps.join("\n")).toContain("newest cycle record is 10");
    expect(result.nextSteps.join("\n")).toContain(join(snapshot, "evidence", "network-txs-list.json"));
    expect(filesOf(folder)).toEqual(["accounts.sqlite3", "cycles.sqlite3"]);
  });

  it("has the hash of an empty list of transactions if the snapshot has none", () => {
    const path = join(folderWith([newest]), "cycles.sqlite3");
    appendShutdown({ kind: "append-shutdown", path, archivers, txListHash: null, hashKey: DEFAULT_HASH_KEY });
    expect(recordsOf(dirname(path))[1]).toMatchObject({ txlisthash: hashText("[]") });
  });

  it("is not appended a second time", async () => {
    const folder = folderWith([newest]);
    const options = { to: "archiver", archiverDb: folder, appendShutdown: true, archivers } as const;
    await restore(snapshot, options);
    await restore(snapshot, options);
    expect(recordsOf(folder).map(({ counter }) => counter)).toEqual([9, 10]);
  });

  it("is appended only when asked", async () => {
    const folder = folderWith([newest]);
    const before = readFileSync(join(folder, "cycles.sqlite3"));
    await restore(snapshot, { to: "archiver", archiverDb: folder });
    expect(readFileSync(join(folder, "cycles.sqlite3")).equals(before)).toBe(true);
  });

  it("is refused without the archivers that it names", async () => {
    const folder = folderWith([newest]);
    const failure = await failureOf(
      restore(snapshot, { to: "archiver", archiverDb: folder, appendShutdown: true }),
    );
    expect(failure.code).toBe("usage");
  });

  it("is refused before anything is replaced if there is no database of cycle records", async () => {
    const folder = temporaryDirectory();
    const options = { to: "archiver", archiverDb: folder, appendShutdown: true, archivers } as const;
    expect((await failureOf(restore(snapshot, options))).code).toBe("configuration");
    expect(filesOf(folder)).toEqual([]);
  });
});
