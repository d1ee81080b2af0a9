/**
 * Measures `restore --to archiver`: `npm run bench:restore -- [megabytes] [rounds]`. Prints the accounts a second of the
 * whole command and the time of each step, and the peak memory of all its processes together.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { printTable } from "../bench-row.ts";
import { commandPath } from "../command.ts";
import { machine, median, print } from "../measure.ts";
import { measuredRun } from "../measured-run.ts";
import { startStaticNetwork } from "../speed/static-network-process.ts";

/** The memory is read so often. */
const sampleMs = 50;

interface RestoreRun {
  readonly ms: number;
  readonly accounts: number;
  /** Of all processes together, each shared page once. */
  readonly peakBytes: number;
  /** The duration of each step, in milliseconds. */
  readonly steps: ReadonlyMap<string, number>;
}

const [megabytes = 2_000, rounds = 3] = process.argv.slice(2).map(Number);
const scratch = await mkdtemp(join(tmpdir(), "bench-restore-"));
try {
  const runs: RestoreRun[] = [];
  const snapshot = await assembled();
  for (let round = 0; round < rounds; round++) {
    const run = await restored(snapshot);
    runs.push(run);
    const steps = [...run.steps].map(([step, ms]) => `${step} ${Math.round(ms)}`).join(", ");
    print(`${Math.round(run.ms)} ms: ${steps}; ${Math.round(run.peakBytes / 1e6)} MB`);
  }
  const speed = median(runs.map(({ accounts, ms }) => (accounts * 1000) / ms));
  const peak = Math.max(...runs.map(({ peakBytes }) => peakBytes));
  printTable([
    {
      what: `accounts a second, ${megabytes} MB, ${runs[0]?.accounts} accounts`,
      atLeast: "≥ 60,000",
      aim: "60,000",
      measured: speed.toLocaleString("en"),
    },
    { what: "peak memory", atLeast: "≤ 200 MB", aim: "200 MB", measured: `${Math.round(peak / 1e6)} MB` },
  ]);
  print(
    JSON.stringify({ machine, runs: runs.map((run) => ({ ...run, steps: Object.fromEntries(run.steps) })) }),
  );
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function assembled(): Promise<string> {
  const directory = join(scratch, "wire");
  await mkdir(directory);
  const { network, stop } = await startStaticNetwork({ megabytes, form: "canonical", nodes: 9, directory });
  try {
    const out = join(scratch, "snapshots");
    const at = ["--timestamp", String(network.timestamp), "--archiver", network.archiver, "--out", out];
    const { directory: snapshot } = (await measuredRun([...at, "--seed", "none"])).summary;
    if (typeof snapshot !== "string") throw new Error("no snapshot was published");
    return snapshot;
  } finally {
    await stop();
    await rm(directory, { recursive: true });
  }
}

async function restored(snapshot: string): Promise<RestoreRun> {
  const folder = join(scratch, "archiver-db");
  await mkdir(folder);
  const args = ["restore", snapshot, "--to", "archiver", "--archiver-db", folder, "--json"];
  const child = spawn(process.execPath, [commandPath, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const started = performance.now();
  const steps = new Map<string, number>();
  let step: { readonly name: string; readonly startedMs: number } | undefined;
  let accounts = 0;
  let peakBytes = 0;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, memoryOf(child.pid ?? 0));
  }, sampleMs);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line);
      if (event.accounts?.total !== undefined) accounts = event.accounts.total;
      if (event.type !== "step") continue;
      const nowMs = performance.now();
      if (step !== undefined) steps.set(step.name, nowMs - step.startedMs);
      step = { name: event.step, startedMs: nowMs };
    }
  } finally {
    clearInterval(sampling);
  }
  const ms = performance.now() - started;
  if (accounts === 0) throw new Error("the restore failed");
  await rm(folder, { recursive: true });
  return { ms, accounts, peakBytes, steps };
}

/** Returns the memory of a process and its children: each page is divided among the processes that share it. */
function memoryOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const own =
      Number(/^Pss_Anon:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) +
      Number(/^Pss_File:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean);
    return children.reduce((total, child) => total + memoryOf(Number(child)), own * 1024);
  } catch {
    return 0; // it has ended
  }
}
