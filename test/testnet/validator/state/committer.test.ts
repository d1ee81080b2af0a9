/** The order of commits and exports, with a real database and real export processes. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { asCycle } from "../../../../src/protocol/brands.ts";
import { honestHooks } from "../../../../src/testnet/validator/fault-hooks.ts";
import type {
  CycleReport,
  FinalizedCycle,
} from "../../../../src/testnet/validator/snapshot/cycle-finalizer.ts";
import { ExportStore } from "../../../../src/testnet/validator/snapshot/export-store.ts";
import { SnapshotExporter } from "../../../../src/testnet/validator/snapshot/snapshot-exporter.ts";
import { Committer } from "../../../../src/testnet/validator/state/committer.ts";
import type { LogEntry } from "../../../../src/testnet/validator/state/log-entry.ts";
import { asPartitions, idNamed, keyNamed } from "../../../helpers/brands.ts";
import { temporaryDirectory } from "../../../helpers/temporary.ts";
import { genesis, hashesOf, membershipOf, openState, partitions, shard, transfers } from "../small-state.ts";

/** So long that no cycle of a test ends before the test, also on a busy machine. */
const durationMs = 60_000;
const startMs = Math.floor(Date.now() / durationMs) * durationMs;
const node = { id: idNamed("node"), publicKey: keyNamed("node"), url: "http://127.0.0.1:1" };
const start: LogEntry = { type: "start", start: startMs / 1000, duration: durationMs / 1000 };

function cycleEnd(cycle: number): LogEntry {
  return {
    type: "cycle-end",
    cycle: asCycle(cycle),
    timestamp: startMs + (cycle + 1) * durationMs,
    snapshot: true,
  };
}

/** The reaction of an export process to its command: it reports its start, waits for a file before that, or ends. */
type Start = "at once" | "gated" | "never";

/** A validator with an export process; `openGate` lets a gated one start. */
async function setUp(start: Start, nodes = [node]) {
  const directory = temporaryDirectory();
  const path = join(directory, "process.mjs");
  const gate = join(directory, "gate");
  const started = 'process.send({ type: "started" })';
  const actions: Readonly<Record<Start, string>> = {
    "at once": started,
    gated: `setInterval(() => { if (existsSync(${JSON.stringify(gate)})) { clearInterval(timer); ${started}; } }, 5)`,
    never: "process.exit(1)",
  };
  writeFileSync(
    path,
    `import { existsSync } from "node:fs";
     process.once("disconnect", () => process.exit());
     process.once("message", () => { const timer = ${actions[start]}; });`,
  );
  const database = await openState(directory);
  const exporter = new SnapshotExporter({
    entry: { path, arguments: [] },
    exportStore: await ExportStore.open(join(directory, "exports"), 1),
    report: () => undefined,
    serve: () => undefined,
  });
  onTestFinished(async () => {
    await exporter.stop();
    database.close();
  });
  const membership = membershipOf(nodes, node.id);
  const finalized: FinalizedCycle[] = [];
  const reports: CycleReport[] = [];
  const report = (one: CycleReport) => void reports.push(one);
  const committer = new Committer({
    database,
    membership,
    exporter,
    report,
    hooks: honestHooks(),
    isHeld: () => false,
    finalizer: {
      waitUntilReady: () => Promise.resolve(),
      cycleTxsFinalized: (cycle) => {
        finalized.push(cycle);
        const own = { databasePath: database.path, partitions: asPartitions(partitions) };
        const target = { ...own, numPartitions: shard.numNodes, ...cycle };
        if (exporter.active === undefined) exporter.initiate(target, Promise.resolve(hashesOf(genesis)));
      },
    },
  });
  let position = 100;
  const logged = (entries: LogEntry[]) => entries.map((entry) => ({ entry, position: ++position }));
  const openGate = () => writeFileSync(gate, "");
  return { database, membership, exporter, committer, finalized, reports, report, logged, openGate };
}

describe("commits", () => {
  it("wait until an export has started, but not until it is written", async () => {
    const { database, exporter, committer, logged, openGate } = await setUp("gated");
    await committer.apply(logged([start, ...transfers(startMs), cycleEnd(1)]));
    const boundary = database.progress;
    expect(boundary).toMatchObject({ cycle: 1, isBoundary: true, isMarked: true });
    const next = committer.apply(logged(transfers(startMs + 2 * durationMs)));
    await sleep(50); // in which a commit that does not wait would be made
    expect(database.progress).toEqual(boundary);
    openGate();
    await next;
    expect(database.progress).toMatchObject({ cycle: 1, isBoundary: false });
    expect(exporter.active?.cycle).toBe(1);
    expect(committer.times.waitWhileExportingMaxMs).toBeGreaterThan(40);
    await committer.apply(logged([cycleEnd(2)]));
    expect(database.progress).toMatchObject({ cycle: 2, isBoundary: true });
    expect(exporter.active?.cycle).toBe(1);
  });

  it("continue where an export fails to start", async () => {
    const { database, committer, logged } = await setUp("never");
    await committer.apply(logged([start, cycleEnd(1)]));
    await committer.apply(logged(transfers(startMs + 2 * durationMs)));
    expect(database.progress).toMatchObject({ cycle: 1, isBoundary: false });
  });

  it("end cycles at the same entries, however the log is divided", async () => {
    const { database, committer, finalized, logged } = await setUp("at once");
    const [first = start, second = start, ...rest] = transfers(startMs);
    await committer.apply(logged([start, first, cycleEnd(1), second, cycleEnd(2), ...rest]));
    expect(finalized.map(({ cycle }) => cycle)).toEqual([1, 2]);
    expect(database.progress).toMatchObject({ cycle: 2, isBoundary: false, startMs, durationMs });
  });

  it("skip the work at the end of a cycle that is too old", async () => {
    const { database, committer, finalized, reports, logged } = await setUp("at once");
    const past: LogEntry = {
      type: "cycle-end",
      cycle: asCycle(1),
      timestamp: startMs - 60 * durationMs,
      snapshot: true,
    };
    await committer.apply(logged([start, past]));
    expect([finalized, database.progress.cycle]).toEqual([[], 1]);
    expect(reports).toEqual([{ type: "cycle-missed", cycle: 1, isMarked: true }]);
  });

  it("save the changes of the nodes, which a restarted validator reads again", async () => {
    const { database, membership, committer, logged } = await setUp("at once");
    const other = { id: idNamed("other"), publicKey: keyNamed("other"), url: "http://127.0.0.1:2" };
    await committer.apply(
      logged([
        start,
        { type: "node-joined", cycle: asCycle(1), ...other },
        cycleEnd(1),
        { type: "node-activated", cycle: asCycle(2), id: other.id },
      ]),
    );
    // The end of cycle 1 is still the newest state.
    expect(database.progress).toMatchObject({ cycle: 1, isBoundary: true });
    await committer.apply(logged([cycleEnd(2), { type: "node-removed", cycle: asCycle(3), id: other.id }]));
    expect(database.nodes).toEqual([{ ...other, joined: 1, activated: 2, removed: 3 }]);
    const nodesIn = [1, 2, 3].map((cycle) => membership.geometryOf(asCycle(cycle))?.nodes.length);
    expect(nodesIn).toEqual([1, 2, 1]);
    expect([1, 2, 3].map((cycle) => membership.geometryOf(asCycle(cycle))?.shard.numNodes)).toEqual(nodesIn);
  });

  it("report once that a node which has joined has the newest state, and no cycles that it missed before", async () => {
    const { reports, committer, logged } = await setUp("at once", []);
    const past = (cycle: number): LogEntry => ({
      type: "cycle-end",
      cycle: asCycle(cycle),
      timestamp: startMs - (60 - cycle) * durationMs,
      snapshot: true,
    });
    await committer.apply(
      logged([start, past(1), { type: "node-joined", cycle: asCycle(2), ...node }, past(2)]),
    );
    expect(reports).toEqual([]);
    for (const cycle of [3, 4].map(asCycle)) {
      const timestamp = startMs + (cycle - 2) * durationMs;
      await committer.apply(logged([{ type: "cycle-end", cycle, timestamp, snapshot: false }]));
    }
    expect(reports).toEqual([{ type: "synced", cycle: 3 }]);
  });

  it("repeat the work at the end of a cycle after a restart at that point", async () => {
    const { database, membership, exporter, committer, logged, finalized, report } = await setUp("at once");
    await committer.apply(logged([start, cycleEnd(1)]));
    const told: FinalizedCycle[] = [];
    const finalizer = {
      waitUntilReady: () => Promise.resolve(),
      cycleTxsFinalized: (cycle: FinalizedCycle) => void told.push(cycle),
    };
    const options = {
      database,
      membership,
      exporter,
      finalizer,
      report,
      hooks: honestHooks(),
      isHeld: () => false,
    };
    new Committer(options).resume();
    expect(told).toEqual(finalized);
    new Committer({ ...options, isHeld: () => true }).resume();
    expect(told.at(-1)).toMatchObject({ cycle: 1, isMarked: false });
    await committer.apply(logged(transfers(startMs + 2 * durationMs)));
    new Committer(options).resume();
    expect(told).toHaveLength(2);
  });
});
