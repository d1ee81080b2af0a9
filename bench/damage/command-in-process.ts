/** Runs the command line in this process, with its output in memory. */

import { Writable } from "node:stream";
import { run } from "../../dist/cli/main.js";
import type { Finding, RunSummary } from "../../dist/index.js";
import { lastLine } from "../command.ts";

/** The JSON summary of a command: the fields that the checks read. */
export interface Summary extends Partial<RunSummary> {
  readonly error?: { readonly file?: string; readonly message: string };
  readonly findings?: readonly (Finding & { readonly message?: string })[];
}

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout where it is JSON. */
  readonly summary: Summary | undefined;
}

export async function runCommand(args: readonly string[]): Promise<CommandRun> {
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const status = await run(args, { stdout, stderr, env: {}, signal: new AbortController().signal });
  const last = lastLine(stdout.text);
  const summary: Summary | undefined = last.startsWith("{") ? JSON.parse(last) : undefined;
  return { status, stdout: stdout.text, stderr: stderr.text, summary };
}

class TextSink extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}
