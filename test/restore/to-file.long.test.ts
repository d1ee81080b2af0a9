import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RestoreOptions, type RestoreResult, restore } from "../../src/app/restore.ts";
import { EXPORT_DATA_FILE } from "../../src/format/export-data.ts";
import { makeShard, partitionOf } from "../../src/protocol/shard.ts";
import type { ExportForm } from "../../src/restore/exports/export-form.ts";
import type { AccountMaker } from "../../src/testnet/state/seeded-state.ts";
import { failureOf } from "../app/run.ts";
import { copiesOf, type StoredCopy } from "../helpers/archiver-database.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { filesOf, hashedAccount, snapshotWith } from "./restorable.ts";

const scratch = makeTemporaryDirectory();
const forms: readonly ExportForm[] = ["account-export", "accounts-entry", "core-tables", "jsonl"];
let snapshot: string;
let copies: StoredCopy[];

beforeAll(async () => {
  snapshot = await snapshotWith(scratch, hashedAccount, { globalAccounts: 2 });
  copies = copiesOf(snapshot);
});
afterAll(() => removeDirectory(scratch));

function exportTo(
  out: string,
  to: ExportForm,
  options: Partial<RestoreOptions> = {},
  directory = snapshot,
): Promise<RestoreResult> {
  return restore(directory, { to, out, ...options });
}

const newFile = () => join(temporaryDirectory(), "exported");

function linesOf<T>(path: string): T[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

function rowsOf(path: string, table: string): Record<string, unknown>[] {
  const database = new Database(`file:${path}?mode=ro&immutable=1`);
  const rows = database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all([]) as Record<string, unknown>[];
  database.close();
  return rows;
}

const byTimestamp = (a: StoredCopy, b: StoredCopy) =>
  a.timestamp - b.timestamp || (a.accountId < b.accountId ? -1 : 1);

describe("an exported file", () => {
  it("has the copies of the artifacts in their order, as jsonl", async () => {
    const out = newFile();
    const result = await exportTo(out, "jsonl");
    expect(readFileSync(out, "utf8")).toBe(copies.map((copy) => `${JSON.stringify(copy)}\n`).join(""));
    expect(result).toMatchObject({ file: out, accounts: { total: copies.length, global: 2 }, warnings: [] });
  });

  it("has the accounts of a new network in order of timestamp, as an account-export", async () => {
    const sameTime: AccountMaker = (...made) => {
      const account = hashedAccount(...made);
      return { ...account, timestamp: account.timestamp - (account.timestamp % 500_000) };
    };
    const directory = await snapshotWith(temporaryDirectory(), sameTime);
    const out = newFile();
    await exportTo(out, "account-export", {}, directory);
    const expected = copiesOf(directory).toSorted(byTimestamp);
    expect(linesOf(out)).toEqual(expected.map((copy) => ({ ...copy, cycleNumber: 0 })));
  });

  it("has the table of an RPC node, as accounts-entry", async () => {
    const out = newFile();
    await exportTo(out, "accounts-entry");
    expect(rowsOf(out, "accountsEntry")).toEqual(
      copies.map(({ accountId, timestamp, data }) => ({ accountId, timestamp, data })),
    );
  });

  it("has the old data of a validator and the record of the next cycle, as core-tables", async () => {
    const out = newFile();
    await exportTo(out, "core-tables");
    expect(rowsOf(out, "accountsCopy")).toEqual(copies.map((copy) => ({ ...copy, cycleNumber: 8 })));
    const entries = new Map(
      readFileSync(join(snapshot, EXPORT_DATA_FILE), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as [string, string]),
    );
    expect(rowsOf(out, "partitions")).toEqual(
      [-1, 0, 1, 2, 3, 4].map((partition) => ({
        partitionId: String(partition),
        cycleNumber: 8,
        hash: entries.get(`partition.${partition}`),
      })),
    );
    expect(rowsOf(out, "network")).toEqual([{ cycleNumber: 8, hash: entries.get("network.hash") }]);
    expect(rowsOf(out, "cycles")).toMatchObject([{ counter: 9, active: 5 }]);
  });

  it.each(forms)("stands alone, without scratch files: %s", async (form) => {
    const out = newFile();
    await exportTo(out, form);
    expect(filesOf(dirname(out))).toEqual(["exported"]);
  });

  it.each(forms)("is not written in a dry run: %s", async (form) => {
    const out = newFile();
    expect(await exportTo(out, form, { dryRun: true })).toMatchObject({
      file: null,
      accounts: { global: 2 },
    });
    expect(filesOf(dirname(out))).toEqual([]);
  });

  it("keeps any text as jsonl, which other forms refuse", async () => {
    const plain: AccountMaker = (...made) => ({ ...hashedAccount(...made), data: "17", timestamp: 0 });
    const directory = await snapshotWith(temporaryDirectory(), plain);
    const out = newFile();
    await exportTo(out, "jsonl", {}, directory);
    expect(linesOf(out)).toEqual(copiesOf(directory));
    const failure = await failureOf(exportTo(newFile(), "account-export", {}, directory));
    expect(failure.code).toBe("unrestorable");
  });
});

describe("a part of a snapshot", () => {
  const shard = makeShard({ numNodes: 5 });
  const partitionOfCopy = ({ accountId, isGlobal }: StoredCopy) =>
    isGlobal === 1 ? -1 : partitionOf(shard, accountId);

  it.each(forms)("can be some partitions: %s", async (form) => {
    const out = newFile();
    const result = await exportTo(out, form, { partitions: [3, -1] });
    const expected = copies.filter((copy) => [-1, 3].includes(partitionOfCopy(copy)));
    expect(result.accounts).toEqual({ total: expected.length, global: 2 });
    if (form === "jsonl") expect(linesOf(out)).toEqual(expected);
    if (form === "core-tables") {
      expect(rowsOf(out, "partitions").map(({ partitionId }) => partitionId)).toEqual(["-1", "3"]);
    }
  });

  it.each(forms)(
    "can be the accounts of a list, with a warning about those that are missing: %s",
    async (form) => {
      const [out, list] = [newFile(), newFile()];
      const chosen = [copies[0], copies[40], copies[77]] as StoredCopy[];
      writeFileSync(list, `${chosen.map(({ accountId }) => accountId).join("\n")}\n\n${"7".repeat(64)}\r\n`);
      const result = await exportTo(out, form, { accounts: list });
      expect(result.accounts).toEqual({ total: 3, global: 1 });
      expect(result.warnings).toEqual(["1 account of the list is not in the snapshot"]);
      if (form === "jsonl") expect(linesOf(out)).toEqual(chosen);
    },
  );

  it.each([
    { id: "a line that is no ID", text: "abc\n" },
    { id: "no ID", text: "\n" },
  ])("is refused for a list with $id", async ({ text }) => {
    const list = newFile();
    writeFileSync(list, text);
    const failure = await failureOf(exportTo(newFile(), "jsonl", { accounts: list }));
    expect(failure.code).toBe("configuration");
  });

  it("is refused for a partition that the snapshot does not have", async () => {
    const failure = await failureOf(exportTo(newFile(), "jsonl", { partitions: [5] }));
    expect(failure).toMatchObject({ code: "configuration", hint: expect.stringContaining("-1 to 4") });
  });
});

describe("an export is refused", () => {
  it("if the file exists, which stays as it is", async () => {
    const out = newFile();
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, "mine");
    expect((await failureOf(exportTo(out, "jsonl"))).code).toBe("configuration");
    expect(readFileSync(out, "utf8")).toBe("mine");
  });

  it.each<{ id: string; options: Partial<RestoreOptions> }>([
    { id: "without a file", options: { out: undefined } },
    { id: "with an archiver's folder", options: { archiverDb: "folder" } },
    { id: "with accounts and partitions", options: { accounts: "list", partitions: [1] } },
  ])("$id", async ({ options }) => {
    expect((await failureOf(exportTo(newFile(), "jsonl", options))).code).toBe("usage");
  });
});
