/**
 * Live clusters, end to end: processes that lie, die and are slow, commands as a user runs them, and the published
 * snapshots compared with the transactions of the cluster.
 */

import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { audit } from "../../bench/live/audit.ts";
import type { Manifest } from "../../src/format/manifest.ts";
import { MANIFEST_FILE } from "../../src/format/manifest.ts";
import type { LiveEvent } from "../../src/testnet/live/live-description.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { isAlive, program, publish, type RunningCluster, run, startCluster } from "./running-cluster.ts";

/** Assembles marked snapshots: each one in turn, or on a busy machine those that validators still keep. */
async function publishMarked(cluster: RunningCluster, out: string, count: number) {
  const { startMs, periodMs, snapshotEvery } = cluster;
  const published: { directory: string; cycle: number }[] = [];
  for (let number = 1; published.length < count; number++) {
    const newest = Math.floor((Date.now() - startMs) / periodMs);
    number = Math.max(number, newest - 1);
    const timestamp = startMs + number * periodMs;
    const directory = await publish(cluster, out, timestamp);
    if (directory !== undefined) published.push({ directory, cycle: snapshotEvery * number - 1 });
  }
  return published;
}

/** Returns the first moment from a given one on that all validators have exported, after some of them have died. */
async function exportedByAll(
  { events, nodes }: RunningCluster,
  deaths: number,
  fromMs: number,
): Promise<number> {
  for (;;) {
    const lastDeath = events.findLastIndex(({ type }) => type === "validator-died");
    const isOver = events.filter(({ type }) => type === "validator-died").length === deaths;
    const exporters = new Map<number, Set<number>>();
    for (const event of isOver ? events.slice(lastDeath) : []) {
      if (event.type !== "export-retrieved") continue;
      const of = exporters.get(event.timestamp) ?? new Set<number>();
      exporters.set(event.timestamp, of.add(event.validator));
    }
    const [timestamp] =
      [...exporters].find(([moment, of]) => moment >= fromMs && of.size === nodes.length) ?? [];
    if (timestamp !== undefined) return timestamp;
    await sleep(50);
  }
}

function timestampOf(directory: string): number {
  return Number(/\d+$/.exec(directory)?.[0]);
}

/** Cycles pass in real time; a busy machine needs more of them. */
describe("a live cluster", { timeout: 240_000 }, () => {
  it("gives a right snapshot at each marked cycle, while two validators lie, one is killed in its export, and one is slow", async () => {
    const faults = ["2:lie-gossip", "2:corrupt-data", "6:lie=5", "7:kill-at=export", "4:slow=300ms"];
    const cluster = await startCluster(5, [
      ...["--nodes", "9", "--accounts", "500", "--tx-rate", "100"],
      ...faults.flatMap((fault) => ["--fault", fault]),
    ]);
    const out = temporaryDirectory();
    const marked = await publishMarked(cluster, out, 3);
    for (const { directory, cycle } of marked) {
      expect(await run(program, ["verify", directory, "--json"])).toMatchObject({
        status: 0,
        ok: true,
        chain: expect.anything(),
      });
      expect(await audit(cluster.directory, directory)).toMatchObject({
        ok: true,
        cycle,
        totalBalance: cluster.totalBalance,
        problems: [],
      });
    }
    const latest = await publish(cluster, out, "latest");
    expect((timestampOf(latest ?? "") - cluster.startMs) % cluster.periodMs).toBe(0);
    const told = (type: LiveEvent["type"]) => cluster.events.filter((event) => event.type === type);
    expect(told("validator-died")).toMatchObject([{ validator: 7, how: "SIGKILL" }]);
    expect(told("validator-restarted")).toMatchObject([{ validator: 7 }]);
    expect(told("disagreement")[0]).toMatchObject({ validator: 6, partition: 5 });
    expect(new Set(told("disagreement").map(({ validator }) => validator))).toEqual(new Set([6]));
    expect(told("export-failed")).toEqual([]);
    cluster.child.kill("SIGINT");
    expect(await once(cluster.child, "exit")).toEqual([0, null]);
    expect(cluster.nodes.filter(({ pid }) => isAlive(pid ?? 0))).toEqual([]);
    const [, second] = marked;
    const { directory = "", cycle = 0 } = second ?? {};
    const published = JSON.parse(readFileSync(join(directory, MANIFEST_FILE), "utf8")) as Manifest;
    const missed = told("cycle-missed").filter((event) => "cycle" in event && event.cycle === cycle);
    const absent = new Set(missed.map((event) => "validator" in event && event.validator));
    for (const node of [0, 1, 3, 8].filter((node) => !absent.has(node))) {
      const database = new Database(join(cluster.directory, `validator-${node}`, "state.sqlite"));
      const { hash } = database.prepare("SELECT hash FROM network WHERE cycleNumber = ?").get([cycle]) as {
        hash: string;
      };
      const rows = database
        .prepare("SELECT partitionId, hash FROM partitions WHERE cycleNumber = ?")
        .all([cycle]);
      database.close();
      expect(hash).toBe(published.snapshot.networkHash);
      expect(rows).toHaveLength(10);
    }
  });

  it("has a latest snapshot at any time from its first mark on", async () => {
    const cluster = await startCluster(2, ["--nodes", "5", "--accounts", "400", "--tx-rate", "50"]);
    const network = ["--archiver", cluster.archiverUrl, "--archiver-key", cluster.archiverPublicKey];
    let published = 0;
    while (published < 4) {
      const args = [...network, "--timestamp", "latest", "--out", temporaryDirectory(), "--json", "--quiet"];
      const { status } = await run(program, args);
      // None exists before the first mark; after it, one exists also during the next export.
      expect([0, 5]).toContain(status);
      if (status === 0) published++;
    }
  });

  it("continues completely after all of its validators were killed, each at a different step", async () => {
    const steps = ["commit", "hash", "gossip", "export", "retrieve"];
    const cluster = await startCluster(3, [
      ...["--nodes", "5", "--nodes-per-consensus-group", "5", "--accounts", "200", "--tx-rate", "50"],
      ...steps.flatMap((step, node) => ["--fault", `${node}:kill-at=${step}`]),
    ]);
    let directory: string | undefined;
    for (let fromMs = 0; directory === undefined; fromMs++) {
      fromMs = await exportedByAll(cluster, steps.length, fromMs);
      directory = await publish(cluster, temporaryDirectory(), fromMs);
    }
    expect(await audit(cluster.directory, directory)).toMatchObject({ ok: true, problems: [] });
    const died = cluster.events.filter(({ type }) => type === "validator-died");
    expect(died.map(({ validator }) => validator).sort()).toEqual([0, 1, 2, 3, 4]);
    cluster.child.kill("SIGINT");
    await once(cluster.child, "exit");
    for (const { index } of cluster.nodes) {
      const exports = join(cluster.directory, `validator-${index}`, "exports");
      const names = readdirSync(exports);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        expect(name).toMatch(/^snapshot-\d+$/);
        expect(statSync(join(exports, name, MANIFEST_FILE)).size).toBeGreaterThan(0);
      }
    }
  });
});
