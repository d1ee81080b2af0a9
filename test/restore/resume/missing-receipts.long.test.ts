import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../app/run.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { busyNetwork, network, newNetwork, refused, run, useSnapshot } from "./resumption.ts";
import { endOf, snapshotMs } from "./stopped-network.ts";

useSnapshot();

describe("a missing receipt", () => {
  it("is found by the hash before the next one, and names the account and the transaction", async () => {
    busyNetwork();
    const { accountId } = network.account(0);
    const missing = network.rows.findIndex(({ cycle }) => cycle === 11);
    const next = network.rows[missing + 4];
    const rows = network.rows.filter((_, index) => index !== missing);
    const report = join(temporaryDirectory(), "report.json");
    const error = await refused(network.write(rows), { report });
    expect(error).toMatchObject({
      code: "incomplete",
      message: expect.stringContaining("receipts are missing: 1 change does not follow"),
    });
    expect(error.details[0]).toContain(
      `account ${accountId}: transaction ${next?.["receiptId"]} of cycle 12`,
    );
    expect(error.hint).toContain("--to-cycle");
    const written = JSON.parse(readFileSync(report, "utf8")) as { replay: { gaps: object }; failure: object };
    expect(written.replay.gaps).toMatchObject({
      count: 1,
      shown: [{ accountId, receiptId: next?.["receiptId"], cycle: 12 }],
    });
    expect(written.failure).toMatchObject({ code: "incomplete" });
  });

  it("is found even if receipts without a proof are accepted", async () => {
    busyNetwork();
    const error = await refused(network.write(network.rows.slice(4)), { unverifiedReceipts: true });
    expect(error).toMatchObject({
      code: "incomplete",
      message: expect.stringContaining("receipts are missing: 7 changes do not follow"),
    });
  });

  it("is found if the state before is not the snapshot's", async () => {
    newNetwork();
    const { accountId } = network.account(0);
    const at = endOf(9) - 20_000;
    network.execute([{ accountId, data: { timestamp: at }, hashBefore: "0".repeat(64) }], at);
    const error = await refused(network.write());
    expect(error).toMatchObject({ code: "incomplete" });
    expect(error.details[0]).toContain(`follows the state ${"0".repeat(64)}`);
  });

  it("is not to be confused with two states of one time, which are refused as well", async () => {
    newNetwork();
    const { accountId, timestamp } = network.account(0);
    const changes = [{ accountId, data: { other: true, timestamp }, hashBefore: "0".repeat(64) }];
    network.execute(changes, snapshotMs - 5_000);
    const error = await refused(network.write());
    expect(error).toMatchObject({
      code: "verification",
      message: expect.stringContaining("two states of one time"),
    });
  });
});

describe("the archiver's cycle records", () => {
  const changed = (counter: number, change: object) =>
    network.records.map((record) => (record.counter === counter ? { ...record, ...change } : record));

  it.each([
    { id: "another record of the snapshot's cycle", counter: 8 },
    { id: "another record than the snapshot's evidence", counter: 10 },
    { id: "a record that does not follow", counter: 14 },
  ])("are refused if there is $id", async ({ counter }) => {
    busyNetwork();
    network.transfer([network.account(0).accountId], endOf(15) - 20_000);
    const error = await refused(
      network.write(network.rows, changed(counter, { mode: "forged", previous: "1".repeat(64) })),
    );
    expect(error.code).toBe("chain");
    expect(error.message).toContain(`its record of cycle ${counter}`);
  });

  it("that are missing leave the receipts after them without a proof", async () => {
    busyNetwork();
    const records = network.records.filter(({ counter }) => counter < 12);
    const error = await refused(network.write(network.rows, records));
    expect(error.details[0]).toContain(
      "the archiver has no record of cycle 12, so the nodes of cycle 12 are unknown",
    );
  });

  it("that are not there at all are a configuration error", async () => {
    const databases = busyNetwork().write();
    new Database(join(databases.archiverDb, "cycles.sqlite3")).exec("DROP TABLE cycles");
    expect(await failureOf(run(databases))).toMatchObject({ code: "configuration" });
  });
});

describe("a resumption is refused", () => {
  it("if there is no database of receipts, or it is another one", async () => {
    const databases = busyNetwork().write();
    const missing = { ...databases, receipts: join(databases.archiverDb, "other.sqlite3") };
    expect(await failureOf(run(missing))).toMatchObject({ code: "configuration" });
    const other = { ...databases, receipts: join(databases.archiverDb, "cycles.sqlite3") };
    expect((await failureOf(run(other))).message).toContain("has no table receipts of an archiver");
  });

  it("while an archiver has the receipts open", async () => {
    const databases = busyNetwork().write();
    const open = new Database(databases.receipts);
    open.pragma("journal_mode = WAL");
    open.prepare("SELECT count(*) FROM receipts").all([]);
    expect(await failureOf(run(databases))).toMatchObject({ code: "in-use" });
    open.close();
  });
});
