import { copyFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RestoreOptions, type RestoreResult, restore } from "../../src/app/restore.ts";
import type { RestoreEvent } from "../../src/events/restore-events.ts";
import type { AccountMaker } from "../../src/testnet/state/seeded-state.ts";
import { failureOf, filesIn } from "../app/run.ts";
import { copiesOf, createArchiverDatabase, type StoredCopy } from "../helpers/archiver-database.ts";
import { httpServer } from "../helpers/servers.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { accountsPath, filesOf, hashedAccount, rowsOf, snapshotWith } from "./restorable.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
let copies: StoredCopy[];

beforeAll(async () => {
  snapshot = await snapshotWith(scratch);
  copies = copiesOf(snapshot);
});
afterAll(() => removeDirectory(scratch));

function restoreInto(
  folder: string,
  options: Partial<RestoreOptions> = {},
  directory = snapshot,
): Promise<RestoreResult> {
  return restore(directory, { to: "archiver", archiverDb: folder, ...options });
}

/** A folder with the database of an archiver that was stopped. */
function stoppedArchiver(): string {
  const [made, folder] = [temporaryDirectory(), temporaryDirectory()];
  const database = createArchiverDatabase(accountsPath(made), copies.slice(0, 7));
  database.pragma("wal_checkpoint(TRUNCATE)");
  copyFileSync(accountsPath(made), accountsPath(folder));
  return folder;
}

describe("a restored archiver's database", () => {
  it("has exactly the accounts of the snapshot, in order of artifacts, in the snapshot's cycle", async () => {
    const folder = temporaryDirectory();
    const result = await restoreInto(folder);
    expect(rowsOf(accountsPath(folder))).toEqual(copies.map((copy) => ({ ...copy, cycleNumber: 8 })));
    expect(result).toMatchObject({
      accounts: { total: copies.length, global: 1 },
      file: accountsPath(folder),
      keptFile: null,
      accountHash: { data: copies.length, neither: 0 },
      warnings: [],
    });
  });

  it("has the tables and the indexes of the published archiver", async () => {
    const folder = temporaryDirectory();
    await restoreInto(folder);
    const objects = (path: string) => {
      const rows = new Database(path)
        .prepare("SELECT type, name FROM sqlite_master ORDER BY name")
        .all([]) as { type: string; name: string }[];
      return rows.map(({ type, name }) => `${type} ${name}`);
    };
    const published = accountsPath(temporaryDirectory());
    createArchiverDatabase(published, []);
    expect(objects(accountsPath(folder))).toEqual(objects(published));
  });

  it("stands alone: there is no log, no lock and no unfinished file beside it", async () => {
    const folder = temporaryDirectory();
    await restoreInto(folder);
    expect(filesOf(folder)).toEqual(["accounts.sqlite3"]);
  });

  it("replaces an older one, which is kept under another name each time", async () => {
    const folder = stoppedArchiver();
    const old = readFileSync(accountsPath(folder));
    const first = await restoreInto(folder);
    const timestamp = first.snapshot.timestamp;
    expect(first.keptFile).toBe(`${accountsPath(folder)}.before-${timestamp}`);
    expect(readFileSync(first.keptFile ?? "")).toEqual(old);
    const second = await restoreInto(folder);
    expect(second.keptFile).toBe(`${accountsPath(folder)}.before-${timestamp}-2`);
    expect(rowsOf(second.keptFile ?? "")).toHaveLength(copies.length);
    expect(readFileSync(first.keptFile ?? "")).toEqual(old);
  });

  it("is the same from compressed artifacts", async () => {
    const folder = temporaryDirectory();
    const gzipped = await snapshotWith(temporaryDirectory(), hashedAccount, {}, "gzip");
    await restoreInto(folder, {}, gzipped);
    expect(rowsOf(accountsPath(folder)).map(({ cycleNumber: _cycle, ...copy }) => copy)).toEqual(copies);
  });
});

describe("a dry run", () => {
  it("reports what a restore would, and changes no file", async () => {
    const folder = stoppedArchiver();
    const before = filesIn(folder);
    const result = await restoreInto(folder, { dryRun: true });
    expect(result).toMatchObject({ file: null, keptFile: null, nextSteps: [], accounts: { global: 1 } });
    expect(filesIn(folder)).toEqual(before);
  });
});

describe("a restore is refused, and changes nothing,", () => {
  const refusal = async (folder: string, options: Partial<RestoreOptions> = {}, directory = snapshot) => {
    const before = filesIn(folder);
    const failure = await failureOf(restoreInto(folder, options, directory));
    expect(filesIn(folder)).toEqual(before);
    return failure;
  };

  it("if the snapshot fails verification", async () => {
    const damaged = join(temporaryDirectory(), "damaged");
    cpSync(snapshot, damaged, { recursive: true });
    const artifact = join(damaged, "partition-00001.json");
    writeFileSync(artifact, readFileSync(artifact, "utf8").replace("balance", "balanse"));
    expect((await refusal(stoppedArchiver(), {}, damaged)).code).toBe("verification");
  });

  it.each(["-wal", "-shm", "-journal"])("while SQLite's file %s is beside the database", async (ending) => {
    const folder = stoppedArchiver();
    writeFileSync(`${accountsPath(folder)}${ending}`, "");
    expect((await refusal(folder)).code).toBe("in-use");
  });

  it("while an archiver has the database of cycles open", async () => {
    const folder = stoppedArchiver();
    writeFileSync(join(folder, "cycles.sqlite3-wal"), "");
    expect((await refusal(folder)).code).toBe("in-use");
  });

  it("if the database is a symbolic link, beside whose target an archiver has its log", async () => {
    const [folder, elsewhere] = [temporaryDirectory(), stoppedArchiver()];
    symlinkSync(accountsPath(elsewhere), accountsPath(folder));
    const failure = await refusal(folder);
    expect(failure.code).toBe("configuration");
    expect(failure.message).toBe(`${accountsPath(folder)} is a symbolic link`);
  });

  it("while an archiver answers at its URL, even by force", async () => {
    const server = await httpServer((_request, response) => response.end("{}"));
    expect((await refusal(stoppedArchiver(), { archiver: server, force: true })).code).toBe("in-use");
  });

  it("by force while another connection has the database open", async () => {
    const folder = temporaryDirectory();
    const database = createArchiverDatabase(accountsPath(folder), copies.slice(0, 7));
    const failure = await failureOf(restoreInto(folder, { force: true }));
    expect(failure.code).toBe("in-use");
    expect(database.prepare("SELECT count(*) AS n FROM accounts").get([])).toMatchObject({ n: 7 });
    database.close();
  });

  it("if the folder does not exist", async () => {
    const folder = join(temporaryDirectory(), "missing");
    expect((await failureOf(restoreInto(folder))).code).toBe("configuration");
  });

  const unfit: readonly { id: string; change: object; problem: string }[] = [
    { id: "data that is not JSON", change: { data: "plain text" }, problem: "not JSON" },
    { id: "data that is a number", change: { data: 17 }, problem: "is a number" },
    { id: "a timestamp of 0", change: { timestamp: 0 }, problem: "timestamp" },
    { id: "half a character as its hash", change: { stateId: "\ud800" }, problem: "UTF-8" },
  ];
  it.each(unfit)(
    "if the archiver would lose an account with $id, which it names",
    async ({ change, problem }) => {
      let changed: string | undefined;
      const maker: AccountMaker = (random, accountId, timestamp, isGlobal) => {
        const account = hashedAccount(random, accountId, timestamp, isGlobal);
        if (isGlobal || (changed !== undefined && changed !== accountId)) return account;
        changed = accountId;
        return { ...account, ...change };
      };
      const failure = await refusal(stoppedArchiver(), {}, await snapshotWith(temporaryDirectory(), maker));
      expect(failure.code).toBe("unrestorable");
      expect(failure.details).toHaveLength(1);
      expect(failure.details[0]).toContain(problem);
      expect(failure.details[0]).toContain(changed);
    },
  );
});

describe("a restore warns", () => {
  const warningsOf = async (makeAccount: AccountMaker, changes: Record<string, unknown>) => {
    const directory = await snapshotWith(temporaryDirectory(), makeAccount, changes);
    return (await restoreInto(temporaryDirectory(), {}, directory)).warnings;
  };
  const atOnce: AccountMaker = (random, accountId, timestamp, isGlobal) => ({
    ...hashedAccount(random, accountId, timestamp, isGlobal),
    timestamp: 1_700_000_000_000 - (isGlobal ? 1 : 0),
  });

  it("of 200 accounts or more with one timestamp", async () => {
    expect(await warningsOf(atOnce, { accounts: 199 })).toEqual([]);
    const [warning, ...others] = await warningsOf(atOnce, { accounts: 200 });
    expect(warning).toContain("1700000000000 with 200");
    expect(others).toEqual([]);
  });

  it("of two or more global accounts", async () => {
    const [warning, ...others] = await warningsOf(hashedAccount, { globalAccounts: 2 });
    expect(warning).toContain("2 global accounts");
    expect(others).toEqual([]);
  });

  it("of accounts whose hash is not that of their data", async () => {
    const other: AccountMaker = (...made) => ({ ...hashedAccount(...made), stateId: "ab".repeat(32) });
    const [warning] = await warningsOf(other, {});
    expect(warning).toContain("101 accounts with another hash");
  });
});

describe("a database that changes between writing and reading back", () => {
  const faults = [
    { id: "other data", sql: `UPDATE accounts SET data = '{"a":1}' WHERE rowid = 50` },
    { id: "another timestamp", sql: "UPDATE accounts SET timestamp = timestamp + 1 WHERE rowid = 50" },
    { id: "another hash", sql: "UPDATE accounts SET hash = 'x' WHERE rowid = 50" },
    { id: "a missing account", sql: "DELETE FROM accounts WHERE rowid = 50" },
    { id: "an account as a global one", sql: "UPDATE accounts SET isGlobal = 1 WHERE rowid = 50" },
    { id: "another kind of account", sql: "UPDATE accounts SET isGlobal = 2 WHERE rowid = 50" },
    { id: "an account of another cycle", sql: "UPDATE accounts SET cycleNumber = 3 WHERE rowid = 50" },
    {
      id: "an account beyond those of the partitions",
      sql: "INSERT INTO accounts VALUES ('x', '{}', 1, 'h', 8, 0)",
    },
    {
      id: "text that is not UTF-8",
      sql: "UPDATE accounts SET data = CAST(x'22ff22' AS TEXT) WHERE rowid = 50",
    },
  ];

  it.each(faults)("is found out, and nothing is replaced: $id", async ({ sql }) => {
    const folder = stoppedArchiver();
    const before = filesIn(folder);
    const report = (event: RestoreEvent) => {
      if (event.type !== "step" || event.step !== "read-back") return;
      const database = new Database(`${accountsPath(folder)}.restoring`);
      expect(database.prepare(sql).run([]).changes).toBe(1);
      database.close();
    };
    const failure = await failureOf(restoreInto(folder, { reporter: { report } }));
    expect(failure.code).toBe("disk");
    expect(filesIn(folder)).toEqual(before);
  });
});

describe("an archiver that crashed", () => {
  it("has its database completed by force, and the last commits are in what is kept", async () => {
    const folder = temporaryDirectory();
    const made = temporaryDirectory();
    const database = createArchiverDatabase(accountsPath(made), copies.slice(0, 7));
    for (const ending of ["", "-wal", "-shm"]) {
      copyFileSync(`${accountsPath(made)}${ending}`, `${accountsPath(folder)}${ending}`);
    }
    database.close();
    expect((await failureOf(restoreInto(folder))).code).toBe("in-use");
    const before = filesIn(folder);
    expect((await restoreInto(folder, { force: true, dryRun: true })).accounts.total).toBe(copies.length);
    expect(filesIn(folder)).toEqual(before);
    const { keptFile } = await restoreInto(folder, { force: true });
    expect(rowsOf(keptFile ?? "")).toHaveLength(7);
    expect(rowsOf(accountsPath(folder))).toHaveLength(copies.length);
    expect(filesOf(folder)).toHaveLength(2);
  });
});
