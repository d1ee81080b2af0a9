/** Live clusters of the command line, in processes of their own, and commands as a user runs them. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { exportsKept } from "../../src/testnet/limits.ts";
import type { LiveClusterDescription, LiveEvent } from "../../src/testnet/live/live-description.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

export const program = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

export interface RunningCluster extends LiveClusterDescription {
  readonly child: ChildProcess;
  readonly events: LiveEvent[];
  /** The time between marked cycles, in milliseconds. */
  readonly periodMs: number;
}

/** Starts a cluster with cycles of one second, which ends with the test. */
export async function startCluster(snapshotEvery: number, args: readonly string[]): Promise<RunningCluster> {
  const directory = join(temporaryDirectory(), "cluster");
  const pace = [
    "--cycle-duration",
    "1s",
    "--snapshot-every",
    String(snapshotEvery),
    "--directory",
    directory,
  ];
  const child = spawn(process.execPath, [program, "cluster", "--live", "--json", ...pace, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGINT");
    await once(child, "exit");
  });
  const events: LiveEvent[] = [];
  const description = await new Promise<LiveClusterDescription>((resolve, reject) => {
    child.once("exit", () => reject(new Error("the cluster did not start")));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as LiveEvent | ({ type: "cluster" } & LiveClusterDescription);
      if (said.type === "cluster") resolve(said);
      else events.push(said);
    });
  });
  return { ...description, child, events, periodMs: snapshotEvery * 1000 };
}

/** The last line of a script's output, which is JSON, and its exit status. */
export async function run(
  script: string,
  args: readonly string[],
): Promise<Record<string, unknown> & { status: number }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString();
  });
  const [status] = (await once(child, "close")) as [number];
  return { ...(JSON.parse(output.trimEnd().split("\n").at(-1) ?? "{}") as object), status };
}

/** Assembles the snapshot of a moment as soon as validators have it; `undefined` once they no longer keep it. */
export async function publish(
  cluster: RunningCluster,
  out: string,
  timestamp: number | "latest",
): Promise<string | undefined> {
  const { archiverUrl, archiverPublicKey, periodMs } = cluster;
  const network = ["--archiver", archiverUrl, "--archiver-key", archiverPublicKey];
  if (timestamp !== "latest") await sleep(Math.max(0, timestamp - Date.now()));
  for (let slowestMs = 0; ; ) {
    const startedMs = Date.now();
    const args = [...network, "--timestamp", String(timestamp), "--out", out, "--json", "--quiet"];
    const summary = await run(program, args);
    if (summary.status === 0) return String(summary["directory"]);
    slowestMs = Math.max(slowestMs, Date.now() - startedMs);
    const isOver = timestamp !== "latest" && startedMs > timestamp + exportsKept * periodMs;
    // Only a busy machine misses a snapshot: validators report it, or runs are slower than validators keep it.
    const isBusy = slowestMs > periodMs / 2 || cluster.events.some(({ type }) => troubles.includes(type));
    // Not finalized, or not agreed yet; or validators dropped the snapshot during a slow run.
    expect([5, 6, ...(isBusy ? [3, 9] : [])]).toContain(summary.status);
    if (isOver) {
      expect(isBusy).toBe(true);
      return undefined;
    }
    await sleep(100);
  }
}

const troubles: readonly LiveEvent["type"][] = [
  "cycle-missed",
  "cycle-failed",
  "not-agreed",
  "export-refused",
  "export-failed",
];

/** Whether a process exists. */
export const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
