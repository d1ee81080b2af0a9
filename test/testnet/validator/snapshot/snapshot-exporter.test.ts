/** Exports, with real processes and a real database. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { MANIFEST_FILE } from "../../../../src/format/manifest.ts";
import { asCycle, asHashHex, asPartition } from "../../../../src/protocol/brands.ts";
import type { ExportEntry } from "../../../../src/testnet/validator/snapshot/export-operation.ts";
import { ExportStore } from "../../../../src/testnet/validator/snapshot/export-store.ts";
import {
  type ExportReport,
  SnapshotExporter,
} from "../../../../src/testnet/validator/snapshot/snapshot-exporter.ts";
import { EVERYTHING } from "../../../../src/wire/snapshot-request.ts";
import { asPartitions } from "../../../helpers/brands.ts";
import { builtFile } from "../../../helpers/built.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import { until } from "../../../helpers/until.ts";
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
  const database = await openState(directory);
  const exports = join(directory, "exports");
  const exportStore = await ExportStore.open(exports, keepMax);
  const reports: ExportReport[] = [];
  const exporter = new SnapshotExporter({
    entry,
    exportStore,
    report: (report) => reports.push(report),
    serve: () => undefined,
  });
  onTestFinished(async () => {
    await exporter.stop();
    database.close();
  });
  const target = (cycle: number) => ({
    databasePath: database.path,
    cycle: asCycle(cycle),
    timestamp: endOf(cycle),
    partitions: asPartitions(partitions),
    numPartitions: shard.numNodes,
  });
  const initiate = (cycle: number, hashes = hashesOf(genesis)) =>
    exporter.initiate(target(cycle), Promise.resolve(hashes));
  return { directory, database, exports, exportStore, reports, exporter, target, initiate };
}

/** An export process that runs a script when it receives its command. */
function scripted(directory: string, script: string): ExportEntry {
  const path = join(directory, "process.mjs");
  writeFileSync(
    path,
    `process.once("disconnect", () => process.exit());\nprocess.once("message", async ({ request }) => { ${script} });\n`,
  );
  return { path, arguments: [] };
}

/** An export process that ends before it receives its command. */
function ending(directory: string): ExportEntry {
  const path = join(directory, "process.mjs");
  writeFileSync(path, "process.exit(3);\n");
  return { path, arguments: [] };
}

describe("an export", () => {
  it("is published when it is written, and contains the state of the validator", async () => {
    const { exporter, initiate, reports, exportStore, exports } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toEqual([{ type: "export-retrieved", cycle: 0, timestamp: endOf(0), ...times() }]);
    expect(readdirSync(exports)).toEqual([`snapshot-${endOf(0)}`]);
    expect(exportStore.held.map(({ timestamp }) => timestamp)).toEqual([endOf(0)]);
    const accounts = [...(exportStore.held[0]?.accounts.select(EVERYTHING) ?? [])];
    expect(hashesOf(accounts)).toEqual(hashesOf(genesis));
    expect(accounts.map(({ accountId }) => accountId)).toEqual(
      held(genesis).map(({ accountId }) => accountId),
    );
  });

  it("continues while cycles are committed, and contains none of their changes", async () => {
    const { exporter, initiate, database, reports, exportStore } = await setUp(slowEntry(100));
    initiate(0);
    await exporter.waitUntilStarted();
    for (const cycle of [1, 2, 3]) endCycle(database, cycle, transfers(endOf(cycle) - 1));
    expect(exporter.active?.cycle).toBe(0);
    await exporter.waitUntilDone();
    expect(reports.map(({ type }) => type)).toEqual(["export-retrieved"]);
    expect(hashesOf([...(exportStore.held[0]?.accounts.select(EVERYTHING) ?? [])])).toEqual(
      hashesOf(genesis),
    );
  });

  it("holds the state long before it is written", async () => {
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

  it("rejects a second one, and continues", async () => {
    const { exporter, initiate, database, reports } = await setUp(slowEntry(50));
    initiate(0);
    await exporter.waitUntilStarted();
    endCycle(database, 1);
    expect(() => initiate(1)).toThrow("no export of cycle 1: the export of cycle 0 is still active");
    await exporter.waitUntilDone();
    expect(reports).toMatchObject([{ type: "export-retrieved", cycle: 0 }]);
    initiate(1);
    await exporter.waitUntilDone();
    expect(reports).toMatchObject([{ cycle: 0 }, { type: "export-retrieved", cycle: 1 }]);
  });

  it("creates its manifest first, and writes it last", async () => {
    const { exporter, initiate, exportStore } = await setUp(slowEntry(100));
    initiate(0);
    await exporter.waitUntilStarted();
    const working = exportStore.workingDirectory(endOf(0));
    expect(statSync(join(working, MANIFEST_FILE)).size).toBe(0);
    while (readdirSync(working).length < 5) await sleep(5);
    expect(statSync(join(working, MANIFEST_FILE)).size).toBe(0);
    await exporter.waitUntilDone();
    expect(statSync(join(working, `../snapshot-${endOf(0)}`, MANIFEST_FILE)).size).toBeGreaterThan(0);
  });

  it("does not write to the directory of another export", async () => {
    const { exporter, initiate, exportStore, reports, exports } = await setUp();
    mkdirSync(exportStore.workingDirectory(endOf(0)));
    writeFileSync(join(exportStore.workingDirectory(endOf(0)), MANIFEST_FILE), "");
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports).toMatchObject(
      [{ type: "export-failed", stage: "initiate", cause: /EEXIST/ }].map(matching),
    );
    expect(readdirSync(exports)).toEqual([]);
  });

  it.each([
    { id: "a later cycle", cycle: 1, cause: "at the end of cycle 0, expected the end of cycle 1" },
    { id: "a moment later", cycle: 0, cause: "after the end of cycle 0, expected the end of cycle 0" },
  ])("fails where the database is not where it should be: $id", async ({ id, cycle, cause }) => {
    const { exporter, initiate, database, reports, exports } = await setUp();
    if (id === "a moment later") {
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

  it("is discarded where its hashes differ from those of the validator", async () => {
    const { exporter, initiate, reports, exports, exportStore } = await setUp();
    initiate(0, new Map(hashesOf(genesis)).set(asPartition(1), asHashHex("ab".repeat(32))));
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
    expect([readdirSync(exports), exportStore.held]).toEqual([[], []]);
  });

  it("is reported once, with the first cause, where its process dies half-way", async () => {
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
        cause: "the export process ended (SIGKILL)",
      },
    ]);
    expect(readdirSync(exports)).toEqual([]);
  });

  it("is reported once, with the first cause, where its process reports a failure and ends", async () => {
    const script = `process.send({ type: "started" });
      process.send({ type: "failed", message: "the disk is on fire" }, () => process.exit(1));`;
    const { exporter, initiate, reports } = await setUp(scripted(temporaryDirectory(), script));
    initiate(0);
    await exporter.waitUntilDone();
    expect(reports.map((report) => ("cause" in report ? [report.stage, report.cause] : []))).toEqual([
      ["export", "the disk is on fire"],
    ]);
  });

  it("fails where its process ended before, and the next one starts a new process", async () => {
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

  it("is reported where no process can be started", async () => {
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

  it("ends with its validator: its process ends, and its directory is removed", async () => {
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

describe("the export store", () => {
  it("keeps the newest exports", async () => {
    const { exporter, initiate, database, exports, exportStore } = await setUp();
    for (const cycle of [0, 1, 2]) {
      if (cycle > 0) endCycle(database, cycle);
      initiate(cycle);
      await exporter.waitUntilDone();
    }
    expect(exportStore.held.map(({ cycle }) => cycle)).toEqual([1, 2]);
    await until(() => readdirSync(exports).length === 2);
    expect(readdirSync(exports).sort()).toEqual([1, 2].map((cycle) => `snapshot-${endOf(cycle)}`));
  });

  it("keeps the files of an export until its last reader has ended", async () => {
    const { exporter, initiate, database, exports, exportStore } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    const [first] = exportStore.held;
    const release = first?.accounts.hold();
    for (const cycle of [1, 2, 3]) {
      endCycle(database, cycle);
      initiate(cycle);
      await exporter.waitUntilDone();
    }
    expect(exportStore.held.map(({ cycle }) => cycle)).toEqual([2, 3]);
    expect(hashesOf([...(first?.accounts.select(EVERYTHING) ?? [])])).toEqual(hashesOf(genesis));
    await until(() => readdirSync(exports).length === 3);
    release?.();
    await until(() => readdirSync(exports).length === 2);
  });

  it("has the same exports after it is opened again, without incomplete ones", async () => {
    const { exporter, initiate, exports } = await setUp();
    initiate(0);
    await exporter.waitUntilDone();
    mkdirSync(join(exports, ".snapshot-9000.partial"));
    writeFileSync(join(exports, ".snapshot-9000.partial", "partition-00000.json"), "[");
    mkdirSync(join(exports, "snapshot-8000"));
    writeFileSync(join(exports, "snapshot-8000", MANIFEST_FILE), "");
    writeFileSync(join(exports, "core"), "");
    const exportStore = await ExportStore.open(exports, keepMax);
    expect(exportStore.held.map(({ cycle, timestamp }) => [cycle, timestamp])).toEqual([[0, endOf(0)]]);
    expect(hashesOf([...(exportStore.held[0]?.accounts.select(EVERYTHING) ?? [])])).toEqual(
      hashesOf(genesis),
    );
    expect(readdirSync(exports)).toEqual([`snapshot-${endOf(0)}`]);
    expect(existsSync(join(exports, "core"))).toBe(false);
  });
});

function times() {
  return { startMs: expect.any(Number) as number, durationMs: expect.any(Number) as number };
}

/** Replaces patterns by matchers for `toMatchObject`. */
function matching({ cause, ...rest }: { type: string; stage: string; cause: RegExp }) {
  return { ...rest, cause: expect.stringMatching(cause) as string };
}

/** The commands of this process's children, except zombies. */
function childProcesses(): string[] {
  const table = execFileSync("ps", ["-o", "stat=,args=", "--ppid", String(process.pid)]).toString();
  return table.split("\n").filter((line) => /export-process/.test(line) && !line.startsWith("Z"));
}
