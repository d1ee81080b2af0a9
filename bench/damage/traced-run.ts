/** Runs the assemble command, under strace where its system calls are recorded or broken. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RunSummary } from "../../dist/index.js";
import { commandPath, lastLine } from "../command.ts";

export interface AssembleSummary extends RunSummary {
  readonly type: "summary";
  readonly error?: { readonly message: string; readonly details: readonly string[]; readonly hint: string };
}

export interface TracedRun {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: AssembleSummary | undefined;
}

/** @param tracing the arguments of strace; without them, the run is not traced */
export async function assemble(
  args: readonly string[],
  out: string,
  tracing?: readonly string[],
): Promise<TracedRun> {
  const command = [commandPath, ...args, "--out", out];
  const [file, given] =
    tracing === undefined
      ? [process.execPath, command]
      : ["strace", ["-qq", ...tracing, process.execPath, ...command]];
  const child = spawn(file, given, {
    // With one thread for the file system, the calls keep their order, and one thread counts them.
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  await once(child, "close");
  return { status: child.exitCode, signal: child.signalCode, stdout, stderr, summary: summaryOf(stdout) };
}

/** Returns `undefined` where the run was killed before its summary. */
function summaryOf(stdout: string): AssembleSummary | undefined {
  const last = lastLine(stdout);
  if (!last.startsWith("{")) return undefined;
  const line: AssembleSummary | { readonly type: "event" } = JSON.parse(last);
  return line.type === "summary" ? line : undefined;
}
