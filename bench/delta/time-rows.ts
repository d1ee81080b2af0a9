/**
 * Rows for the time of a delta run: `b2sum` of the artifacts, a full run and a delta run in turns, against the same
 * validators, each as a process of its own.
 */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BenchRow, round3 } from "../bench-row.ts";
import { median, print, timeMs } from "../measure.ts";
import { type MeasuredRun, measuredRun } from "../measured-run.ts";
import { type StaticNetwork, startStaticNetwork } from "../speed/static-network-process.ts";
import type { MeasuredRows } from "./byte-rows.ts";

const run = promisify(execFile);
const changed = 0.01;
const nodes = 9;

export interface TimeContest {
  readonly megabytes: number;
  readonly rounds: number;
}

const contenders = ["b2sum", "full", "delta"] as const;
type Contender = (typeof contenders)[number];

/** A round of a contender. */
interface Usage {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly bytesReceived: number;
}

type Usages = Readonly<Record<Contender, Usage[]>>;

export async function timeRows({ megabytes, rounds }: TimeContest): Promise<MeasuredRows> {
  const scratch = await mkdtemp(join(tmpdir(), "bench-delta-"));
  const settings = { megabytes, form: "canonical", nodes, directory: scratch, changed } as const;
  const { network, stop } = await startStaticNetwork(settings);
  try {
    const seed = published(await assemble(network, network.olderTimestamp, join(scratch, "older")));
    const whole = published(await assemble(network, network.timestamp, join(scratch, "whole")));
    const actions = {
      b2sum: () => sumArtifacts(whole.directory),
      full: () => assembleSame(network, join(scratch, "out"), "none", whole.digest),
      delta: () => assembleSame(network, join(scratch, "out"), seed.directory, whole.digest),
    };
    const usages: Usages = { b2sum: [], full: [], delta: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of contenders) usages[name].push(await actions[name]());
    }
    for (const name of contenders) print(lineOf(megabytes, name, usages[name]));
    const peaks = [...usages.full, ...usages.delta].map(({ peakBytes }) => peakBytes);
    return { rows: rowsOf(megabytes, usages), peakBytes: Math.max(...peaks) };
  } finally {
    await stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function sumArtifacts(directory: string): Promise<Usage> {
  const artifacts = (await readdir(directory)).filter((name) => name.startsWith("partition-")).sort();
  const script = 'TIMEFORMAT="%U %S"; time b2sum "$@"';
  let times = "";
  const ms = await timeMs(async () => {
    times = (await run("bash", ["-c", script, "bash", ...artifacts], { cwd: directory })).stderr;
  });
  const [user = Number.NaN, system = Number.NaN] = times.trim().split(" ").map(Number);
  return { ms, cpuMs: (user + system) * 1000, peakBytes: 0, bytesReceived: 0 };
}

/** Assembles the newer snapshot once more, and removes it. */
async function assembleSame(
  network: StaticNetwork,
  out: string,
  seed: string,
  digest: string,
): Promise<Usage> {
  const assembled = await assemble(network, network.timestamp, out, seed);
  if (published(assembled).digest !== digest) throw new Error("a run has another state than the first one");
  await rm(out, { recursive: true });
  return { ...assembled, bytesReceived: assembled.summary.bytes.received };
}

async function assemble(
  { archiver }: StaticNetwork,
  timestamp: number,
  out: string,
  seed = "none",
): Promise<MeasuredRun> {
  return await measuredRun([
    ...["--archiver", archiver, "--timestamp", String(timestamp)],
    ...["--out", out, "--seed", seed],
  ]);
}

function published({ summary: { directory, digest } }: MeasuredRun): { directory: string; digest: string } {
  if (directory === null || digest === null) throw new Error("a run ended without a snapshot");
  return { directory, digest };
}

function rowsOf(megabytes: number, usages: Usages): BenchRow[] {
  const name = `${megabytes} MB, ${100 * changed} % changed`;
  const ratio = (under: Contender, key: "ms" | "cpuMs") =>
    round3(medianOf(usages.delta, key) / medianOf(usages[under], key));
  const note = (under: Contender) =>
    `${medianOf(usages.delta, "ms")} of ${medianOf(usages[under], "ms")} ms; processor time ${ratio(under, "cpuMs")}`;
  const received = (under: Contender) => usages[under].at(-1)?.bytesReceived;
  return [
    {
      what: `time of a delta run ÷ b2sum of the artifacts, ${name}`,
      atLeast: "≤ 1.5",
      aim: "1.0",
      measured: ratio("b2sum", "ms"),
      note: note("b2sum"),
    },
    {
      what: `time of a delta run ÷ time of a full run, ${name}`,
      atLeast: "≤ 0.6",
      aim: "0.35",
      measured: ratio("full", "ms"),
      note: `${note("full")}; ${received("delta")} of ${received("full")} bytes received`,
    },
  ];
}

function medianOf(usages: readonly Usage[], key: "ms" | "cpuMs"): number {
  return median(usages.map((usage) => usage[key]));
}

function lineOf(megabytes: number, name: Contender, usages: readonly Usage[]): string {
  const sorted = usages.map(({ ms }) => Math.round(ms)).sort((a, b) => a - b);
  const peak = Math.round(Math.max(...usages.map(({ peakBytes }) => peakBytes)) / 1e6);
  return `  ${megabytes} MB: ${name.padEnd(5)} ${medianOf(usages, "ms")} ms (${sorted.join(", ")}), processor ${medianOf(usages, "cpuMs")} ms, peak ${peak} MB, load ${loadavg()[0]}`;
}
