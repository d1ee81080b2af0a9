/** A run of the command in a process of its own, with its time and its peak memory. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RunSummary } from "../dist/index.js";
import { commandPath, lastLine } from "./command.ts";
import { timeMs } from "./measure.ts";

const run = promisify(execFile);
const outputBytesMax = 1e9;

export interface MeasuredRun {
  readonly summary: RunSummary;
  readonly ms: number;
  /** The processor time of all its threads: on a busy machine, it tells more than the time. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Prints `VmHWM` at the end: the peak of the resource usage includes the memory of the process that forked this one. */
const reportUsage = `import { readFileSync } from "node:fs";
  const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
  const cpu = ({ user, system } = process.cpuUsage()) => user + system;
  process.on("exit", () => process.stderr.write("usage " + peak() + " " + cpu() + "\\n"));`;
const preload = `data:text/javascript,${encodeURIComponent(reportUsage)}`;

/**
 * Runs an assembly, which must succeed.
 *
 * @param args without `--json`
 */
export async function measuredRun(args: readonly string[]): Promise<MeasuredRun> {
  const output = { stdout: "", stderr: "" };
  const command = ["--import", preload, commandPath, ...args, "--json"];
  const ms = await timeMs(async () => {
    Object.assign(output, await run(process.execPath, command, { maxBuffer: outputBytesMax }));
  });
  const [, peakKiB, cpuMicroseconds] = /usage (\d+) (\d+)/.exec(output.stderr) ?? [];
  return {
    summary: JSON.parse(lastLine(output.stdout)),
    ms,
    cpuMs: Number(cpuMicroseconds) / 1000,
    peakBytes: Number(peakKiB) * 1024,
  };
}
