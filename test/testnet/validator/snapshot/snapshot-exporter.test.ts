/** The rules of the export, with real processes and a real database. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { MANIFEST_FILE } from "../../../../src/format/manifest.ts";
import type { ExportEntry } from "../../../../src/testnet/validator/snapshot/export-operation.ts";
import { ExportShelf } from "../../../../src/testnet/validator/snapshot/export-shelf.ts";
import {
  type ExportReport,
  SnapshotExporter,
} from "../../../../src/testnet/validator/snapshot/snapshot-exporter.ts";
import { EVERYTHING } from "../../../../src/testnet/validator/state/account-source.ts";
import { builtFile } from "../../../helpers/built.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import {
  endCycle,
  endOf,
  genesis,
  hashesOf,
  held,
  openState,
  partitions,
  shard,
  transfers,
} from "../small-state.ts";

const keepMax = 2;

/** An export process that pauses between two partitions. */
function slowEntry(pauseMs: number): ExportEntry {
  const path = builtFile("testnet/live/live-export-process.js");
  return { path, arguments: [JSON.stringify({ lies: [], pauseMs })] };
}

async function setUp(
  entry: ExportEntry = { path: builtFile("testnet/validator/snapshot/export-process.js"), arguments: [] },
) {
  const directory = temporaryDirectory();
  const database = openState(directory);
  const exports = join(directory, "exports");
  const shelf = await ExportShelf.open(exports, keepMax);
  const reports: ExportReport[] = [];
  const exporter = new SnapshotExporter({
    entry,
    shelf,
    report: (report) => reports.push(report),
    serve: () => undefined,
  });
  onTestFinished(async () => {
    await exporter.stop();
    database.close();
  });
  const target = (cycle: number) => ({
    databasePath: database.path,
    cycle,
    timestamp: endOf(cycle),
    partitions,
    numPartitions: shard.numNodes,
  });
  const initiate = (cycle: number, hashes = hashesOf(genesis)) =>
    exporter.initiate(target(cycle), Promise.resolve(hashes));
  return { directory, database, exports, shelf, reports, exporter, target, initiate };
}

/** An export process that does what a script says when it is told to begin. */
function scripted(directory: string, script: string): ExportEntry {
  const path = join(directory, "process.mjs");
  writeFileSync(
    path,
    `process.once("disconnect", () => process.exit());\nprocess.once("message", async ({ request }) => { ${script} });\n`,
  );
  return { path, arguments: [] };
}

/** One that ends before it is told anything. */
function ending(directory: string): ExportEntry {
  const path = join(directory, "process.mjs");
  writeFileSync(path, "process.exit(3);\n");
  return { path, arguments: [] };
}

describe("an export", () => {
  it("is retrieved when it is done, and holds what the validator has", async () => {
    const { exporter, initiate, reports, shelf, exports } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toEqual([{ type: "export-retrieved", cycle: 0, timestamp: endOf(0), ...times() }]);
    expect(readdirSync(exports)).toEqual([`snapshot-${endOf(0)}`]);
    expect(shelf.held.map(({ timestamp }) => timestamp)).toEqual([endOf(0)]);
    const accounts = [...(shelf.held[0]?.accounts.select(EVERYTHING) ?? [])];
    expect(hashesOf(accounts)).toEqual(hashesOf(genesis));
    expect(accounts.map(({ accountId }) => accountId)).toEqual(
      held(genesis).map(({ accountId }) => accountId),
    );
  });

  it("goes on while cycles are committed, and sees none of them", async () => {
    const { exporter, initiate, database, reports, shelf } = await setUp(slowEntry(100));
    initiate(0);
    await exporter.waitUntilStarted();
    for (const cycle of [1, 2, 3]) endCycle(database, cycle, transfers(endOf(cycle) - 1));
    expect(exporter.active?.cycle).toBe(0);
    await exporter.waitUntilDone();
    expect(reports.map(({ type }) => type)).toEqual(["export-retrieved"]);
    expect(hashesOf([...(shelf.held[0]?.accounts.select(EVERYTHING) ?? [])])).toEqual(hashesOf(genesis));
  });

  it("is started long before it is done", async () => {
    const { exporter, initiate, reports } = await setUp(slowEntry(200));
    initiate(0);
    await exporter.waitUntilStarted();
    expect(reports).toEqual([]);
    await exporter.waitUntilDone();
    const [report] = reports;
    if (report?.type !== "export-retrieved") return expect.unreachable();
    // Four partitions, and a pause after each.
    expect(report.durationMs - report.startMs).toBeGreaterThan(700);
  });

  it("is the only one: a second is refused, and the first goes on", async () => {
    const { exporter, initiate, database, reports } = await setUp(slowEntry(50));
    initiate(0);
    await exporter.waitUntilStarted();
    endCycle(database, 1);
    expect(() => initiate(1)).toThrow("no export of cycle 1: that of cycle 0 is still active");
    await exporter.waitUntilDone();
    expect(reports).toMatchObject([{ type: "export-retrieved", cycle: 0 }]);
    initiate(1);
    await exporter.waitUntilDone();
    expect(reports).toMatchObject([{ cycle: 0 }, { type: "export-retrieved", cycle: 1 }]);
  });

  it("opens its manifest first, and writes it last", async () => {
    const { exporter, initiate, shelf } = await setUp(slowEntry(100));
    initiate(0);
    await exporter.waitUntilStarted();
    const working = shelf.workingDirectory(endOf(0));
    expect(statSync(join(working, MANIFEST_FILE)).size).toBe(0);
    while (readdirSync(working).length < 5) await sleep(5);
    expect(statSync(join(working, MANIFEST_FILE)).size).toBe(0);
    await exporter.waitUntilDone();
    expect(statSync(join(working, `../snapshot-${endOf(0)}`, MANIFEST_FILE)).size).toBeGreaterThan(0);
  });

  it("does not write into the directory of another one", async () => {
    const { exporter, initiate, shelf, reports, exports } = await setUp();
    mkdirSync(shelf.workingDirectory(endOf(0)));
    writeFileSync(join(shelf.workingDirectory(endOf(0)), MANIFEST_FILE), "");
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toMatchObject(
      [{ type: "export-failed", stage: "initiate", cause: /EEXIST/ }].map(matching),
    );
    expect(readdirSync(exports)).toEqual([]);
  });

  it.each([
    { id: "a later cycle", cycle: 1, cause: "at the end of cycle 0, and not at the end of cycle 1" },
    { id: "a moment behind", cycle: 0, cause: "behind the end of cycle 0, and not at the end of cycle 0" },
  ])("fails where the database is not where it should be: $id", async ({ id, cycle, cause }) => {
    const { exporter, initiate, database, reports, exports } = await setUp();
    if (id === "a moment behind") {
      const progress = { ...database.progress, isBoundary: false };
      database.commit({ transactions: transfers(endOf(0) + 1), progress });
    }
    initiate(cycle);
    await exporter.waitUntilStarted(); // commits do not wait for what has failed
    await exporter.waitUntilDone();
    expect(reports).toEqual([
      {
        type: "export-failed",
        cycle,
        timestamp: endOf(cycle),
        stage: "initiate",
        cause: `the database is ${cause}`,
      },
    ]);
    expect(readdirSync(exports)).toEqual([]);
  });

  it("is discarded where it is not what the validator has hashed itself", async () => {
    const { exporter, initiate, reports, exports, shelf } = await setUp();
    initiate(0, new Map(hashesOf(genesis)).set(1, "ab".repeat(32)));
    await exporter.waitUntilDone();
    expect(reports).toMatchObject(
      [
        {
          type: "export-failed",
          stage: "retrieve",
          cause: /^partition\.1 was exported as .*, but hashed as abab/,
        },
      ].map(matching),
    );
    expect([readdirSync(exports), shelf.held]).toEqual([[], []]);
  });

  it("is reported once, with its first cause, where its process dies half-way", async () => {
    const script = `const { mkdirSync, writeFileSync } = await import("node:fs");
      mkdirSync(request.directory); writeFileSync(request.directory + "/partition-00000.json", "[");
      process.send({ type: "started" }, () => process.kill(process.pid, "SIGKILL"));`;
    const { exporter, initiate, reports, exports } = await setUp(scripted(temporaryDirectory(), script));
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toEqual([
      {
        type: "export-failed",
        cycle: 0,
        timestamp: endOf(0),
        stage: "export",
        cause: "its process ended (SIGKILL)",
      },
    ]);
    expect(readdirSync(exports)).toEqual([]);
  });

  it("is reported once, with its first cause, where its process says why it failed and ends", async () => {
    const script = `process.send({ type: "started" });
      process.send({ type: "failed", message: "the disk is on fire" }, () => process.exit(1));`;
    const { exporter, initiate, reports } = await setUp(scripted(temporaryDirectory(), script));
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports.map((report) => ("cause" in report ? [report.stage, report.cause] : []))).toEqual([
      ["export", "the disk is on fire"],
    ]);
  });

  it("fails to be initiated where no process comes of it, and the next one is tried all the same", async () => {
    const { exporter, initiate, reports } = await setUp(ending(temporaryDirectory()));
    for (const _ of [1, 2]) {
      initiate(0);
      await exporter.waitUntilDone();
    }
    expect(reports.map((report) => ("stage" in report ? report.stage : report.type))).toEqual([
      "initiate",
      "initiate",
    ]);
  });

  it("is reported where no process can be started at all", async () => {
    const { exporter, initiate, reports } = await setUp();
    const { execPath } = process;
    process.execPath = "/nowhere/node";
    onTestFinished(() => {
      process.execPath = execPath;
    });
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toMatchObject([
      { type: "export-failed", stage: "initiate", cause: "spawn /nowhere/node ENOENT" },
    ]);
  });

  it("ends with its validator: its process is stopped, and nothing is left behind", async () => {
    const { exporter, initiate, reports, exports } = await setUp(slowEntry(10_000));
    initiate(0);
    await exporter.waitUntilStarted();
    await exporter.stop();
    expect(reports).toEqual([
      {
        type: "export-failed",
        cycle: 0,
        timestamp: endOf(0),
        stage: "stop",
        cause: "the validator was stopped",
      },
    ]);
    expect(readdirSync(exports)).toEqual([]);
    expect(childProcesses()).toEqual([]);
    expect(() => initiate(0)).toThrow("the validator was stopped");
  });
});

describe("the shelf", () => {
  it("keeps the newest few", async () => {
    const { exporter, initiate, database, exports, shelf } = await setUp();
    for (const cycle of [0, 1, 2]) {
      if (cycle > 0) endCycle(database, cycle);
      initiate(cycle);
      await exporter.waitUntilDone();
    }
    expect(shelf.held.map(({ cycle }) => cycle)).toEqual([1, 2]);
    await vi.waitFor(() =>
      expect(readdirSync(exports).sort()).toEqual([1, 2].map((cycle) => `snapshot-${endOf(cycle)}`)),
    );
  });

  it("keeps what is being read from in its place, until the reader has ended", async () => {
    const { exporter, initiate, database, exports, shelf } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    const [first] = shelf.held;
    const release = first?.accounts.hold();
    for (const cycle of [1, 2, 3]) {
      endCycle(database, cycle);
      initiate(cycle);
      await exporter.waitUntilDone();
    }
    expect(shelf.held.map(({ cycle }) => cycle)).toEqual([2, 3]);
    expect(hashesOf([...(first?.accounts.select(EVERYTHING) ?? [])])).toEqual(hashesOf(genesis));
    await vi.waitFor(() => expect(readdirSync(exports)).toHaveLength(3));
    release?.();
    await vi.waitFor(() => expect(readdirSync(exports)).toHaveLength(2));
  });

  it("is as it was when it is opened again, without what was half done", async () => {
    const { exporter, initiate, exports } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    mkdirSync(join(exports, ".snapshot-9000.partial"));
    writeFileSync(join(exports, ".snapshot-9000.partial", "partition-00000.json"), "[");
    mkdirSync(join(exports, "snapshot-8000"));
    writeFileSync(join(exports, "snapshot-8000", MANIFEST_FILE), "");
    writeFileSync(join(exports, "core"), "");
    const shelf = await ExportShelf.open(exports, keepMax);
    expect(shelf.held.map(({ cycle, timestamp }) => [cycle, timestamp])).toEqual([[0, endOf(0)]]);
    expect(hashesOf([...(shelf.held[0]?.accounts.select(EVERYTHING) ?? [])])).toEqual(hashesOf(genesis));
    expect(readdirSync(exports)).toEqual([`snapshot-${endOf(0)}`]);
    expect(existsSync(join(exports, "core"))).toBe(false);
  });
});

function times() {
  return { startMs: expect.any(Number) as number, durationMs: expect.any(Number) as number };
}

/** Patterns in the place of texts, for `toMatchObject`. */
function matching({ cause, ...rest }: { type: string; stage: string; cause: RegExp }) {
  return { ...rest, cause: expect.stringMatching(cause) as string };
}

/** The commands of this process's children, zombies aside. */
function childProcesses(): string[] {
  const table = execFileSync("ps", ["-o", "stat=,args=", "--ppid", String(process.pid)]).toString();
  return table.split("\n").filter((line) => /export-process/.test(line) && !line.startsWith("Z"));
}
