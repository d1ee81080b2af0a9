/** The command line under test. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export const commandPath = fileURLToPath(new URL("../bin/snapshot-assemble.js", import.meta.url));

/** Returns the last line of an output, which is the JSON summary of a command with `--json`. */
export function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}

/** Returns the first line that a process prints. Later output is discarded. */
export async function firstLine(output: Readable): Promise<string> {
  const lines = createInterface({ input: output });
  const ended = once(lines, "close").then(() =>
    Promise.reject(new Error("the process ended without a line")),
  );
  const [line] = await Promise.race([once(lines, "line"), ended]);
  return String(line);
}

/** Sends a signal, and waits for the end of the process. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
  return child.exitCode;
}
