/**
 * Networks that are stopped, start again from a snapshot of theirs, and continue: real processes, servers of snapshots
 * that lie and die, and an audit of the state against all transactions since the beginning.
 */

import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { audit } from "../../bench/live/audit.ts";
import { MANIFEST_FILE, type Manifest } from "../../src/format/manifest.ts";
import type { LiveEvent } from "../../src/testnet/live/live-description.ts";
import { startServe } from "../../src/testnet/live/restart/serve-process.ts";
import { Random } from "../../src/testnet/state/random.ts";
import { dying, lyingServer } from "../helpers/lying-server.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { until } from "../helpers/until.ts";
import { program, publish, type RunningCluster, run, startCluster } from "./running-cluster.ts";

const snapshotEvery = 4;
const pace = ["--tx-rate", "80", "--nodes-per-consensus-group", "5"];

/**
 * A cluster of nine that was ended by a signal at some moment after it published a snapshot. SIGKILL ends it within any
 * write.
 */
async function stoppedCluster(signal: "SIGINT" | "SIGKILL" = "SIGINT") {
  const cluster = await startCluster(snapshotEvery, ["--nodes", "9", "--accounts", "300", ...pace]);
  const out = temporaryDirectory();
  const snapshot = (await publish(cluster, out, "latest")) ?? expect.unreachable();
  const seed = process.env["RESTART_SEED"] ?? String(Math.floor(Math.random() * 2 ** 32));
  const delayMs = Random.named(seed, "stop").below(5_000);
  process.stderr.write(`RESTART_SEED=${seed}: stopped ${delayMs} ms after the snapshot is published\n`);
  await sleep(delayMs);
  await stop(cluster, signal);
  return { cluster, out, snapshot, manifest: manifestOf(snapshot) };
}

async function stop({ child }: RunningCluster, signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
  child.kill(signal);
  await once(child, "exit");
}

function manifestOf(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, MANIFEST_FILE), "utf8")) as Manifest;
}

function told<T extends LiveEvent["type"]>({ events }: RunningCluster, type: T) {
  return events.filter((event): event is Extract<LiveEvent, { type: T }> => event.type === type);
}

/** The entries of a cluster's log. */
function logOf({ transactionLog }: RunningCluster): { type: string; cycle?: number; timestamp?: number }[] {
  const lines = readFileSync(transactionLog, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { type: string });
}

/** Assembles the next mark of a restarted network, and checks it. Returns the snapshot's directory. */
async function requireRight(
  cluster: RunningCluster,
  nodes: number,
  earlier: readonly RunningCluster[],
): Promise<string> {
  await until(() => told(cluster, "export-retrieved").length > 0);
  const directory = (await publish(cluster, temporaryDirectory(), "latest")) ?? expect.unreachable();
  expect(await run(program, ["verify", directory, "--json"])).toMatchObject({ status: 0, ok: true });
  const { blockHeight, snapshot } = manifestOf(directory);
  expect(snapshot.numPartitions).toBe(nodes);
  expect(blockHeight).toBeGreaterThan(cluster.firstCycle);
  const directories = earlier.map((before) => before.directory);
  const audited = await audit(cluster.directory, directory, directories);
  expect(audited).toMatchObject({ ok: true, problems: [], totalBalance: cluster.totalBalance });
  return directory;
}

/** A server that makes the first account of each answer richer. */
async function richerServer(upstream: string) {
  return await lyingServer(upstream, {
    change: (path, text) =>
      path.startsWith("/snapshot-data") ? text.replace(/"value":"(.)/, '"value":"7$1') : text,
  });
}

describe("a network that starts again from its snapshot", { timeout: 240_000 }, () => {
  it.each([
    { nodes: 12, signal: "SIGINT" },
    { nodes: 7, signal: "SIGKILL" },
  ] as const)("continues where $signal ended nine nodes, as $nodes nodes", async ({ nodes, signal }) => {
    const { cluster: old, out, manifest } = await stoppedCluster(signal);
    const restart = ["--from", out, "--resume", old.directory];
    const cluster = await startCluster(snapshotEvery, ["--nodes", String(nodes), ...pace, ...restart]);
    expect(cluster.totalBalance).toBe(old.totalBalance);
    await requireRight(cluster, nodes, [old]);

    // The numbers of cycles continue, and the validators of the new network are others.
    const oldEnds = logOf(old).filter(({ type }) => type === "cycle-end");
    expect(cluster.firstCycle).toBe((oldEnds.at(-1)?.cycle ?? -1) + 2);
    expect(cluster.nodes.filter(({ id }) => old.nodes.some((before) => before.id === id))).toEqual([]);
    expect(told(cluster, "mode-changed").map(({ mode }) => mode)).toEqual([
      "restart",
      "restore",
      "processing",
    ]);

    // Each validator fetched its own partitions first, by the borders of the snapshot.
    for (const part of ["own", "all"] as const) {
      const fetched = told(cluster, "state-fetched").filter((event) => event.part === part);
      expect(fetched.map(({ validator }) => validator).sort((a, b) => a - b)).toEqual([
        ...Array(nodes).keys(),
      ]);
      const partitions = part === "own" ? 6 : 10;
      expect(new Set(fetched.map((event) => event.partitions))).toEqual(new Set([partitions]));
      expect(new Set(fetched.map(({ cycle }) => cycle))).toEqual(new Set([manifest.blockHeight]));
    }

    // Every transaction after the snapshot is repeated before the first cycle, and no other before all are active.
    const log = logOf(cluster);
    const isTransaction = ({ type }: { type: string }) => type === "transfer" || type === "set-fee";
    const resumed = log.findIndex(({ type }) => type === "resumed");
    const after = logOf(old).slice(
      logOf(old).findIndex(({ type, cycle }) => type === "cycle-end" && cycle === manifest.blockHeight),
    );
    expect(log.slice(1, resumed)).toEqual(after.filter(isTransaction));
    const first = log.findIndex((entry, place) => place > resumed && isTransaction(entry));
    const activated = log.slice(resumed, first).filter(({ type }) => type === "node-activated");
    expect(activated).toHaveLength(nodes);
    expect(log.slice(0, first).some((entry) => "snapshot" in entry && entry.snapshot === true)).toBe(false);
    for (const trouble of ["disagreement", "export-failed", "cycle-failed", "server-failed"] as const) {
      expect(told(cluster, trouble)).toEqual([]);
    }
  });

  it("continues more than once", async () => {
    const { cluster: first, out } = await stoppedCluster();
    const second = await startCluster(snapshotEvery, [
      ...["--nodes", "5", ...pace, "--from", out, "--resume", first.directory],
    ]);
    const snapshot = await requireRight(second, 5, [first]);
    await stop(second, "SIGKILL");
    const third = await startCluster(snapshotEvery, [
      ...["--nodes", "4", ...pace, "--from", snapshot, "--resume", second.directory],
    ]);
    expect(third.firstCycle).toBeGreaterThan(second.firstCycle);
    await requireRight(third, 4, [first, second]);
  });

  it("starts from an honest server though others lie and die, loses what is not resumed, and lets validators join and lose their state", async () => {
    const { cluster: old, out, manifest } = await stoppedCluster();
    const serve = await startServe(out, "127.0.0.1", undefined);
    try {
      const liar = await richerServer(serve.url);
      const dead = await lyingServer(serve.url, { send: dying("/snapshot-data") });
      const cluster = await startCluster(snapshotEvery, [
        ...["--nodes", "9", ...pace, "--join", "9@1", "--from", [liar.url, dead.url, serve.url].join()],
        ...["--from-digest", manifest.snapshot.digest],
      ]);
      expect(cluster.totalBalance).toBe(old.totalBalance);
      const byLiar = told(cluster, "server-failed").filter(({ server }) => server === liar.url);
      expect(byLiar.length).toBeGreaterThan(0);
      expect(byLiar.every(({ kind, isExcluded }) => kind === "false" && isExcluded)).toBe(true);
      expect(new Set(byLiar.map(({ validator }) => validator))).toEqual(new Set([null, ...Array(9).keys()]));
      const byDead = told(cluster, "server-failed").filter(({ server }) => server === dead.url);
      expect(byDead.every(({ kind }) => kind === "failed")).toBe(true);
      expect(byDead.length).toBeGreaterThan(9);

      // The state without what followed the snapshot: the accounts of the new directory are those of the snapshot.
      expect(cluster.firstCycle).toBe(manifest.blockHeight + 2);
      await requireRight(cluster, 9, []);

      await until(() => told(cluster, "validator-activated").some(({ validator }) => validator === 9));
      const state = join(cluster.directory, "validator-4", "state.sqlite");
      for (const file of ["", "-wal", "-shm"]) rmSync(`${state}${file}`, { force: true });
      process.kill(cluster.nodes[4]?.pid ?? 0, "SIGKILL");
      await until(() => told(cluster, "validator-restarted").length > 0);
      expect(existsSync(state)).toBe(true);
      const fetched = told(cluster, "state-fetched").filter(({ part }) => part === "all");
      expect(fetched.map(({ validator }) => validator).sort((a, b) => a - b)).toEqual([
        0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9,
      ]);
      const agreedBy = () =>
        told(cluster, "agreed")
          .filter(({ validator }) => validator === 4)
          .at(-1)?.cycle ?? 0;
      const before = agreedBy();
      await until(() => agreedBy() > before + snapshotEvery);
      await requireRight(cluster, 10, []);
      expect(told(cluster, "disagreement")).toEqual([]);
    } finally {
      await serve.stop();
    }
  });

  it("does not start without an honest server, and says which server did what", async () => {
    const { out, manifest } = await stoppedCluster();
    const serve = await startServe(out, "127.0.0.1", undefined);
    try {
      const start = async (server: string) => {
        const directory = join(temporaryDirectory(), "cluster");
        const args = ["cluster", "--live", "--json", "--directory", directory, "--from", server];
        return await run(program, [...args, "--from-digest", manifest.snapshot.digest]);
      };
      const liar = await richerServer(serve.url);
      const lie = `${liar.url}: partition -?\\d+: its hash is [0-9a-f]{64}, the agreed one is`;
      expect(await start(liar.url)).toMatchObject({
        ...{ status: 3, ok: false, exitCode: 3 },
        error: {
          code: "incomplete",
          message: "no server of snapshots is left to start from",
          details: [expect.stringMatching(`^${lie}`)],
        },
      });

      // It lies to validators only: the cluster itself asks first, for the hashes and for the record that follows.
      let asked = 0;
      const later = await lyingServer(serve.url, {
        change: (path, text) => {
          if (path === "/snapshots") asked++;
          return asked > 2 && path.startsWith("/snapshot-cycles") ? text.replace(/"-1":"./, '"-1":"x') : text;
        },
      });
      expect(await start(later.url)).toMatchObject({
        status: 3,
        error: {
          code: "incomplete",
          message: expect.stringMatching(
            /^validator \d did not start: no server of snapshots is left to start from; http:\S+: /,
          ) as string,
        },
      });
    } finally {
      await serve.stop();
    }
  });
});
