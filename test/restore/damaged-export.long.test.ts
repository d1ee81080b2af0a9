import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restore } from "../../src/app/restore.ts";
import type { RestoreEvent, RestoreReporter } from "../../src/events/restore-events.ts";
import type { ExportForm } from "../../src/restore/exports/export-form.ts";
import { failureOf } from "../app/run.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { filesOf, hashedAccount, snapshotWith } from "./restorable.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;

beforeAll(async () => {
  snapshot = await snapshotWith(scratch, hashedAccount, { globalAccounts: 2 });
});
afterAll(() => removeDirectory(scratch));

const newFile = () => join(temporaryDirectory(), "exported");

const exportTo = (out: string, to: ExportForm, reporter: RestoreReporter) =>
  restore(snapshot, { to, out, reporter });

describe("an export that changes between writing and reading back", () => {
  const inText = (change: (text: string) => string) => (path: string) =>
    writeFileSync(path, change(readFileSync(path, "utf8")));
  const inTable = (sql: string) => (path: string) => {
    const database = new Database(path);
    expect(database.prepare(sql).run([]).changes).toBeGreaterThan(0);
    database.close();
  };
  const dropLine = (text: string) => text.slice(text.indexOf("\n") + 1);
  const repeatLine = (text: string) => text.slice(0, text.indexOf("\n") + 1) + text;
  const swapLines = (text: string) => {
    const [first, second, ...others] = text.split("\n");
    return [second, first, ...others].join("\n");
  };
  const faults: readonly { id: string; form: ExportForm; damage: (path: string) => void }[] = [
    { id: "other data", form: "jsonl", damage: inText((text) => text.replace("balance", "balanse")) },
    { id: "a missing line", form: "jsonl", damage: inText(dropLine) },
    { id: "a line that is there twice", form: "jsonl", damage: inText(repeatLine) },
    { id: "other order", form: "account-export", damage: inText(swapLines) },
    { id: "half a line", form: "account-export", damage: inText((text) => text.slice(0, -20)) },
    { id: "another cycle", form: "account-export", damage: inText((text) => text.replace('er":0', 'er":1')) },
    {
      id: "other data in a row",
      form: "accounts-entry",
      damage: inTable("UPDATE accountsEntry SET data = '{}' WHERE rowid = 9"),
    },
    {
      id: "a missing row",
      form: "accounts-entry",
      damage: inTable("DELETE FROM accountsEntry WHERE rowid = 9"),
    },
    {
      id: "another hash",
      form: "core-tables",
      damage: inTable("UPDATE accountsCopy SET hash = 'x' WHERE rowid = 9"),
    },
    {
      id: "another cycle of a row",
      form: "core-tables",
      damage: inTable("UPDATE accountsCopy SET cycleNumber = 7 WHERE rowid = 9"),
    },
    {
      id: "another partition hash",
      form: "core-tables",
      damage: inTable("UPDATE partitions SET hash = 'x' WHERE rowid = 2"),
    },
    { id: "another network hash", form: "core-tables", damage: inTable("UPDATE network SET hash = 'x'") },
    { id: "no cycle record", form: "core-tables", damage: inTable("DELETE FROM cycles") },
  ];

  it.each(faults)("is found out, and no file is left: $id, $form", async ({ form, damage }) => {
    const out = newFile();
    const report = (event: RestoreEvent) => {
      // The scratch database is read back before the file is made.
      if (event.type !== "step" || event.step !== "read-back" || !existsSync(`${out}.restoring`)) return;
      damage(`${out}.restoring`);
    };
    expect((await failureOf(exportTo(out, form, { report }))).code).toBe("disk");
    expect(filesOf(dirname(out))).toEqual([]);
  });

  it("is found out where the scratch database changes before the file is made of it", async () => {
    const out = newFile();
    const damage = inTable("UPDATE accounts SET timestamp = timestamp + 1 WHERE rowid = 9");
    const report = (event: RestoreEvent) => {
      if (event.type === "step" && event.step === "read-back") damage(`${out}.scratch`);
    };
    const failure = await failureOf(exportTo(out, "jsonl", { report }));
    expect(failure.code).toBe("disk");
    expect(failure.message).toContain("partition");
    expect(filesOf(dirname(out))).toEqual([]);
  });
});
