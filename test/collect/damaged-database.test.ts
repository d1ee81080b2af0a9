/** A database in which bits have flipped, or that another program has written. */

import { join } from "node:path";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { readNodeRecords } from "../../src/app/nodes.ts";
import { asCycle, asHashHex, asNodeId } from "../../src/protocol/brands.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { inDatabase, startCollector } from "./running-collector.ts";
import { identities, testNetwork, trueNetworkHash, voteOf, votesOf } from "./test-network.ts";

const idOf = (index: number) => identities[index]?.id ?? "";

function execute(path: string, sql: string, ...values: unknown[]): void {
  const database = new Database(path, {});
  database.prepare(sql).run(values);
  database.close();
}

/** A database in which a collector has kept messages. */
async function collected(messages: readonly object[]): Promise<string> {
  const collector = await startCollector(await testNetwork());
  expect(await collector.post({ messages })).toMatchObject({ status: 202 });
  await collector.stop();
  return collector.database;
}

const flips = [
  { id: "a hash in the text", sql: 'UPDATE messages SET message = replace(message, \'"0":"\', \'"0":"0\')' },
  {
    id: "a digit of a hash in the text",
    sql: "UPDATE messages SET message = replace(message, substr(message, instr(message, '\"-1\":\"') + 6, 4), 'beef')",
  },
  { id: "the signature", sql: 'UPDATE messages SET message = replace(message, \'"sig":"\', \'"sig":"0\')' },
  { id: "the stored hash", sql: "UPDATE messages SET hash = 'f' || substr(hash, 2) || 'e'" },
  { id: "bytes that are no longer UTF-8", sql: "UPDATE messages SET message = CAST(x'7bff' AS TEXT)" },
  { id: "a blob", sql: "UPDATE messages SET message = x'7b7d'" },
];

describe("a damaged stored message", () => {
  it.each(flips)(
    "causes no offence, does not count, and is replaced by the true one: $id",
    async ({ sql }) => {
      const database = await collected([voteOf(1, 20)]);
      execute(database, sql);
      const collector = await startCollector(await testNetwork(), { database });
      expect((await collector.get("/partition-gossip?cycle=20")).status).toBe(404);
      expect(collector.events).toContainEqual({
        type: "warning",
        message: expect.stringMatching(/cycle 20/),
      });
      expect(await collector.post({ messages: votesOf(20) })).toMatchObject({
        status: 202,
        body: { stored: 5 },
      });
      await collector.until("agreed");
      inDatabase(collector.database, (opened) => {
        expect(opened.offences()).toEqual([]);
        expect(opened.networkHash(asCycle(20))).toBe(trueNetworkHash);
      });
      const { body } = await collector.get("/partition-gossip?cycle=20");
      expect(body["messages"]).toEqual(expect.arrayContaining(votesOf(20)));
    },
  );

  it("causes no offence if it is damaged while the collector runs, and is not sent to clients", async () => {
    const collector = await startCollector(await testNetwork());
    await collector.post(voteOf(1, 20));
    execute(collector.database, flips[1]?.sql ?? "");
    await collector.post({ messages: votesOf(20).filter((_, index) => index !== 1) });
    await collector.until("agreed");
    await collector.until("warning", ({ message }) => message.includes("not what was signed"));
    expect(inDatabase(collector.database, (opened) => opened.offences())).toEqual([]);
    const { body } = await collector.get("/partition-gossip?cycle=20");
    expect(body["messages"]).toHaveLength(4);
    // It is no longer known, so the true one is accepted again.
    expect(await collector.post(voteOf(1, 20))).toMatchObject({ status: 202 });
    expect((await collector.get("/partition-gossip?cycle=20")).body["messages"]).toHaveLength(5);
  });

  it("signed with another key than its sender's is not an equivocation of that sender", async () => {
    const database = join(temporaryDirectory(), "hashes.sqlite");
    const other = voteOf(2, 20);
    const hash = other.sign.sig.slice(128);
    inFreshDatabase(database, (opened) => {
      opened.saveMessages(
        [
          {
            cycle: asCycle(20),
            sender: asNodeId(idOf(1)),
            hash: asHashHex(hash),
            text: JSON.stringify(other),
          },
        ],
        1,
      );
    });
    const collector = await startCollector(await testNetwork(), { database });
    expect(await collector.post(voteOf(1, 20))).toMatchObject({ status: 202, body: { stored: 1 } });
    expect(inDatabase(database, (opened) => opened.offences())).toEqual([]);
  });
});

describe("rows that this program would not write", () => {
  it("are skipped with a warning if the records of nodes are read", async () => {
    const database = await collected(votesOf(20));
    const insert = "INSERT INTO offences VALUES (?, ?, ?, ?, ?, ?, ?)";
    execute(database, insert, idOf(0), "redirect", 20, -2, 1_000, "it did", null);
    execute(database, insert, idOf(0), "no such kind", 20, -2, 1_000, "it did", null);
    execute(database, insert, idOf(1), "redirect", "x", -2, 1_000, "it did", null);
    execute(database, insert, idOf(2), "redirect", 20, -2, Number.MAX_SAFE_INTEGER, "it did", null);
    execute(database, insert, idOf(3), "redirect", 20, -2, 1_000, "it did", `${"[".repeat(9_000)}`);
    execute(database, insert, Buffer.from([0xff]), "redirect", 20, -2, 1_000, "it did", null);
    execute(database, "INSERT INTO messages VALUES (-5, x'ff', 7, 'h', 'm')");
    execute(database, "INSERT INTO messages VALUES ('cycle', CAST(x'ff' AS TEXT), 0, 'h', 'm')");
    execute(database, "INSERT INTO messages VALUES (20, CAST(x'ff' AS TEXT), 0, 'h', 'm')");
    const { nodes, warnings } = readNodeRecords(database);
    expect(nodes.flatMap(({ offences }) => offences)).toMatchObject([
      { node: idOf(0), kind: "redirect" },
      { node: idOf(3), kind: "redirect" },
    ]);
    expect(nodes.map(({ messages }) => messages)).toEqual([1, 1, 1, 1, 1]);
    expect(warnings.length).toBeGreaterThanOrEqual(5);
  });

  it("do not disturb a collector", async () => {
    const database = await collected(votesOf(20));
    execute(database, "INSERT INTO messages VALUES ('cycle', 'n', 0, 'h', 'm')");
    execute(database, "INSERT INTO messages VALUES (9007199254740993, 'n', 0, 'h', 'm')");
    execute(database, "INSERT INTO messages VALUES (20, CAST(x'30ff' AS TEXT), 0, 'h', 'm')");
    execute(database, "INSERT INTO network VALUES (19, x'ff')");
    const collector = await startCollector(await testNetwork(), { database });
    expect((await collector.get("/healthz")).body).toMatchObject({
      ok: true,
      cycles: { first: 20, last: 20 },
    });
    expect((await collector.get("/partition-gossip?cycle=20")).body["messages"]).toHaveLength(5);
  });

  it.each([
    { id: "a trigger", sql: "CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM offences; END" },
    { id: "a view", sql: "CREATE VIEW more AS SELECT 1" },
    { id: "an index that computes", sql: "CREATE INDEX i ON messages (length(message))" },
  ])("with $id prevent the database from being opened", ({ sql }) => {
    const database = join(temporaryDirectory(), "hashes.sqlite");
    inFreshDatabase(database, () => undefined);
    execute(database, sql);
    expect(() => readNodeRecords(database)).toThrow(
      expect.objectContaining({ code: "configuration", message: expect.stringMatching(/is different/) }),
    );
  });

  it("with a view in place of a table prevent the database from being opened", () => {
    const database = join(temporaryDirectory(), "hashes.sqlite");
    inFreshDatabase(database, () => undefined);
    execute(database, "DROP TABLE network");
    execute(database, "CREATE VIEW network AS SELECT 1 AS cycleNumber, 'h' AS hash");
    expect(() => readNodeRecords(database)).toThrow(expect.objectContaining({ code: "configuration" }));
  });
});

function inFreshDatabase(path: string, action: (database: HashDatabase) => void): void {
  const database = HashDatabase.open(path);
  onTestFinished(() => database.close());
  action(database);
  database.close();
}
