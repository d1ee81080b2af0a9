/** Clusters in processes of their own, which run `dist/`. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { startCluster } from "../../../src/testnet/cluster/cluster.ts";
import { loadFixture } from "../../../src/testnet/cluster/fixture.ts";
import { spawnCluster } from "../../../src/testnet/cluster/spawn-cluster.ts";
import { builtFile } from "../../helpers/built.ts";

const entry = builtFile("testnet/cluster/cluster-process.js");

async function startProcess(): Promise<{ child: ChildProcess; archiverUrl: string }> {
  const child = spawn(process.execPath, [entry, "nine-honest"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  const { type, archiverUrl } = JSON.parse(line) as { type: string; archiverUrl: string };
  expect(type).toBe("cluster");
  return { child, archiverUrl };
}

describe("a cluster in a process of its own", () => {
  it("describes itself, responds, and stops", async () => {
    const cluster = await spawnCluster("nine-honest");
    expect((await fetch(`${cluster.archiverUrl}/full-nodelist`)).status).toBe(200);
    expect(cluster.nodes).toHaveLength(9);
    await cluster.stop();
    await expect(fetch(cluster.archiverUrl)).rejects.toThrow();
    await cluster.stop(); // again, as a handler of signals may
  });

  it("has the description of a cluster in this process, except for the ports", async () => {
    const here = await startCluster(await loadFixture("nine-honest"));
    const there = await spawnCluster("nine-honest");
    const { archiverPublicKey, snapshotTimestamp, snapshotCycle, networkHash } = here;
    expect(there).toMatchObject({ archiverPublicKey, snapshotTimestamp, snapshotCycle, networkHash });
    expect(there.nodes.map(({ id }) => id)).toEqual(here.nodes.map(({ id }) => id));
    await Promise.all([here.stop(), there.stop()]);
  });

  it("fails to start with the error of the fixture loader", async () => {
    await expect(spawnCluster("nine-honset")).rejects.toMatchObject({
      name: "SnapshotError",
      code: "usage",
      message: "no fixture is named nine-honset",
      hint: expect.stringContaining("nine-honest"),
    });
  });

  it("aborts its start on a signal", async () => {
    await expect(spawnCluster("nine-honest", { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/);
  });

  it("ends with its parent", async () => {
    const { child, archiverUrl } = await startProcess();
    child.stdin?.end();
    expect(await once(child, "exit")).toEqual([0, null]);
    await expect(fetch(archiverUrl)).rejects.toThrow();
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends on %s", async (signal) => {
    const { child } = await startProcess();
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
