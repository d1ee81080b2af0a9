import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RecordedOffence } from "../../../src/errors/offence.ts";
import { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { databasePageRows, offenceAgeMaxMs, recordedOffencesMax } from "../../../src/limits/database.ts";
import { asCycle, asNodeId } from "../../../src/protocol/brands.ts";
import { signed, signedHash } from "../../../src/protocol/crypto/signature.ts";
import { HashDatabase, type SignedMessage } from "../../../src/store/hash-database/hash-database.ts";
import type { SqliteOptions } from "../../../src/store/hash-database/sqlite-file.ts";
import { makeIdentity } from "../../../src/testnet/validator/identity.ts";
import { asHashes, hashNamed } from "../../helpers/brands.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

const makePipe = (path: string) => expect(spawnSync("mkfifo", [path]).status).toBe(0);

const newPath = () => join(temporaryDirectory(), "hashes.sqlite");

function opened(path = newPath(), options: SqliteOptions = {}): HashDatabase {
  const database = HashDatabase.open(path, options);
  onTestFinished(() => database.close());
  return database;
}

function failureOf(action: () => unknown): SnapshotError {
  try {
    action();
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** `n1`, `n2` and so on, in this order. */
const idOf = (name: string) => asNodeId(name.slice(1).padStart(64, "0"));

const { privateKey } = makeIdentity(idOf("n1"), Buffer.alloc(32, 1));

const message = (name: string, cycle = 8, content = "a"): SignedMessage => {
  const sender = idOf(name);
  const text = JSON.stringify(signed({ cycle, sender, content }, privateKey));
  return {
    cycle: asCycle(cycle),
    sender,
    hash: signedHash(JSON.parse(text) as object),
    text,
  };
};

const offence = (changes: Partial<RecordedOffence> = {}): RecordedOffence => ({
  node: "n1",
  kind: "redirect",
  whenMs: 1_000,
  detail: "it did",
  ...changes,
});

it("a hash database with a URL as its name is a file, and no connection is made", () => {
  const failure = failureOf(() => HashDatabase.open("http://127.0.0.1:9/hashes"));
  expect(failure).toMatchObject({ code: "disk" });
  expect(failure.message).not.toMatch(/Hrana|connect to/);
});

describe("a message in the hash database", () => {
  it("is saved as received, once", () => {
    const database = opened();
    expect(database.saveMessages([message("n1"), message("n2"), message("n1")], 1)).toEqual([
      "stored",
      "stored",
      "known",
    ]);
    expect(database.saveMessages([message("n2")], 2)).toEqual(["known"]);
    expect([...database.messagesOf(asCycle(8))]).toEqual([
      { ...message("n1"), isContradicting: false },
      { ...message("n2"), isContradicting: false },
    ]);
    expect(database.messageCount(asCycle(8))).toBe(2);
    expect([...database.messagesOf(asCycle(9))]).toEqual([]);
  });

  it("is saved with an offence if it contradicts another one, and a third one is not saved", () => {
    const database = opened();
    const [first, second, third] = ["a", "b", "c"].map((content) => message("n1", 8, content)) as [
      SignedMessage,
      SignedMessage,
      SignedMessage,
    ];
    expect(database.saveMessages([first, second, third, second, first], 5)).toEqual([
      "stored",
      "contradicts",
      "excess",
      "known",
      "known",
    ]);
    expect([...database.messagesOf(asCycle(8))].map(({ isContradicting }) => isContradicting)).toEqual([
      false,
      true,
    ]);
    const evidence = { messages: [first, second].map(({ text }) => JSON.parse(text)) };
    expect(database.offences()).toEqual([
      { node: idOf("n1"), kind: "equivocation", cycle: 8, whenMs: 5, detail: expect.any(String), evidence },
    ]);
  });

  it("is saved with all others of its batch or not at all", () => {
    const database = opened();
    const broken = { ...message("n2"), text: undefined as unknown as string };
    expect(() => database.saveMessages([message("n1"), broken], 1)).toThrow();
    expect(database.counts()).toEqual({ messages: 0, firstCycle: null, lastCycle: null, agreedCycles: 0 });
    expect(database.saveMessages([message("n1")], 1)).toEqual(["stored"]);
  });

  it("is read in pages with any number of others", () => {
    const database = opened();
    const senders = Array.from(
      { length: 2 * databasePageRows + 1 },
      (_, index) => `n${String(index).padStart(4, "0")}`,
    );
    database.saveMessages(
      senders.flatMap((sender) => [message(sender), message(sender, 8, "b")]),
      1,
    );
    const read = [...database.messagesOf(asCycle(8))];
    expect(read.map(({ sender }) => sender)).toEqual(
      senders.flatMap((sender) => [idOf(sender), idOf(sender)]),
    );
    expect(database.senders()).toHaveLength(senders.length);
  });
});

describe("the agreed hashes in the hash database", () => {
  it("are in tables with the names and columns of validators", () => {
    const path = newPath();
    const database = opened(path);
    database.saveAgreed(
      asCycle(8),
      asHashes([
        [-1, hashNamed("g")],
        [0, hashNamed("a")],
      ]),
    );
    database.saveAgreed(asCycle(8), asHashes([[1, hashNamed("b")]]), hashNamed("net"));
    expect(database.partitionHashes(asCycle(8))).toEqual(
      new Map([
        [-1, hashNamed("g")],
        [0, hashNamed("a")],
        [1, hashNamed("b")],
      ]),
    );
    expect(database.networkHash(asCycle(8))).toBe(hashNamed("net"));
    expect(database.networkHash(asCycle(9))).toBeUndefined();
    const other = new Database(path, {});
    onTestFinished(() => void other.close());
    expect(other.prepare("SELECT * FROM partitions ORDER BY partitionId").all([])).toEqual([
      { partitionId: -1, cycleNumber: 8, hash: hashNamed("g") },
      { partitionId: 0, cycleNumber: 8, hash: hashNamed("a") },
      { partitionId: 1, cycleNumber: 8, hash: hashNamed("b") },
    ]);
    expect(other.prepare("SELECT * FROM network").all([])).toEqual([
      { cycleNumber: 8, hash: hashNamed("net") },
    ]);
  });
});

describe("an offence in the hash database", () => {
  it("is saved once, with the data of its first report", () => {
    const database = opened();
    const evidence = { messages: [{ cycle: 8 }], sentHash: "ab" };
    const lie = offence({ kind: "contradicts-own-vote", cycle: 8, partition: -1, evidence });
    expect(database.saveOffences([offence(), lie, offence({ whenMs: 2_000 })])).toEqual([offence(), lie]);
    expect(database.offences()).toEqual([lie, offence()]);
    expect(database.offenceKinds()).toEqual(
      new Map([["n1", expect.arrayContaining(["redirect", "contradicts-own-vote"])]]),
    );
  });

  it("is deleted for newer ones of its kind and node, and after a year", () => {
    const database = opened();
    const many = Array.from({ length: recordedOffencesMax + 5 }, (_, cycle) =>
      offence({ cycle, whenMs: cycle }),
    );
    database.saveOffences([...many, offence({ node: "n2", whenMs: 7 })]);
    const cycles = database
      .offences()
      .filter(({ node }) => node === "n1")
      .map(({ cycle }) => cycle);
    expect(cycles).toEqual(
      many
        .slice(5)
        .map(({ cycle }) => cycle)
        .reverse(),
    );
    expect([...database.prune(10, offenceAgeMaxMs + 30)]).toEqual([]);
    expect(database.offences().every(({ whenMs }) => whenMs >= 30)).toBe(true);
  });
});

describe("pruning the hash database", () => {
  it("keeps the newest stored cycles, however far apart", () => {
    const database = opened();
    database.saveMessages(
      [3, 4, 5, 1_000_000].map((cycle) => message("n1", cycle)),
      1,
    );
    for (const cycle of [2, 3, 4, 5])
      database.saveAgreed(asCycle(cycle), asHashes([[0, hashNamed("a")]]), hashNamed("net"));
    expect([...database.prune(4, 1)]).toEqual([2]);
    expect([...database.prune(2, 1)]).toEqual([3, 4]);
    expect(database.counts()).toEqual({ messages: 2, firstCycle: 5, lastCycle: 1_000_000, agreedCycles: 1 });
    expect([...database.prune(2, 1)]).toEqual([]);
  });
});

describe("a hash database", () => {
  it("keeps its content and its network when it is opened again", () => {
    const path = newPath();
    const first = HashDatabase.open(path);
    first.claim({ networkId: "", hashKey: "k" });
    first.saveMessages([message("n1")], 1);
    first.close();
    const again = opened(path, { mustExist: true });
    again.claim({ networkId: "one", hashKey: "k" });
    again.claim({ networkId: "one", hashKey: "k" });
    again.claim({ networkId: "", hashKey: "k" });
    expect(again.messageCount(asCycle(8))).toBe(1);
    for (const identity of [
      { networkId: "two", hashKey: "k" },
      { networkId: "one", hashKey: "other" },
    ]) {
      const failure = failureOf(() => again.claim(identity));
      expect(failure).toMatchObject({
        code: "configuration",
        message: expect.stringContaining("belongs to another network"),
      });
    }
  });

  it("can be used by two connections, each of which reads the other's writes", () => {
    const path = newPath();
    const [one, two] = [opened(path), opened(path)];
    expect(one.saveMessages([message("n1")], 1)).toEqual(["stored"]);
    expect(two.saveMessages([message("n1"), message("n2")], 1)).toEqual(["known", "stored"]);
    expect(one.messageCount(asCycle(8))).toBe(2);
  });

  it("fails after a wait if another process holds its lock", () => {
    const path = newPath();
    const database = opened(path, { busyMs: 50 });
    const other = new Database(path, { timeout: 0 });
    onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    expect(failureOf(() => database.saveMessages([message("n1")], 1))).toMatchObject({
      code: "temporary",
      message: expect.stringContaining("holds the lock"),
    });
    other.exec("COMMIT");
    expect(database.saveMessages([message("n1")], 1)).toEqual(["stored"]);
  });

  it.each([
    {
      id: "in a file that is not a database",
      make: (path: string) => writeFileSync(path, "no database at all, ".repeat(200)),
      code: "configuration",
      says: /is not a SQLite database/,
    },
    {
      id: "in the database of another program",
      make: (path: string) => foreign(path, "CREATE TABLE partitions (hash TEXT)"),
      code: "configuration",
      says: /not written by this program/,
    },
    {
      id: "of a newer version",
      make: (path: string) => versioned(path, 2),
      code: "configuration",
      says: /has version 2 .* knows version 1/,
    },
    {
      id: "of an older version",
      make: (path: string) => versioned(path, 0),
      code: "configuration",
      says: /has version 0 .* knows version 1/,
    },
    {
      id: "that is a directory",
      make: (path: string) => mkdirSync(path),
      code: "disk",
      says: /it is a directory/,
    },
    { id: "that is a pipe", make: makePipe, code: "disk", says: /it is not a regular file/ },
  ])("$id is rejected, and the file is not changed", ({ make, code, says }) => {
    const path = newPath();
    make(path);
    const before = code === "disk" ? undefined : readFileSync(path);
    expect(failureOf(() => HashDatabase.open(path))).toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
    if (before !== undefined) expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("is not created if it must exist", () => {
    const failure = failureOf(() => HashDatabase.open(newPath(), { mustExist: true }));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("does not exist"),
    });
  });

  it("fails with the code disk in a missing directory", () => {
    expect(failureOf(() => HashDatabase.open(join(temporaryDirectory(), "none", "x.sqlite"))).code).toBe(
      "disk",
    );
  });
});

function foreign(path: string, sql: string): void {
  const database = new Database(path, {});
  database.exec(sql);
  database.close();
}

function versioned(path: string, version: number): void {
  HashDatabase.open(path).close();
  foreign(path, `PRAGMA user_version = ${version}`);
  // Moves the log into the file, so that the file's bytes are its whole content.
  foreign(path, "PRAGMA wal_checkpoint(TRUNCATE)");
}
