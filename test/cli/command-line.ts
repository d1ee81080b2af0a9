/** Runs the command line in this process, and returns its output. */

import { Writable } from "node:stream";
import { run } from "../../src/cli/main.ts";

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Parses the lines of stdout as JSON. */
  readonly objects: () => Record<string, unknown>[];
  /** Parses the last line of stdout. */
  readonly summary: () => Record<string, unknown>;
}

export interface Circumstances {
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
  /** Receives the output on stdout. */
  readonly onStdout?: (text: string) => void;
  /** Receives the output on stderr. */
  readonly onStderr?: (text: string) => void;
}

class Captured extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly #onText: (text: string) => void;

  constructor(isTTY: boolean, onText: (text: string) => void = () => undefined) {
    super();
    this.isTTY = isTTY;
    this.#onText = onText;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    this.#onText(chunk.toString("utf8"));
    done();
  }
}

export async function commandLine(args: readonly string[], circumstances: Circumstances = {}): Promise<Said> {
  const { env = {}, isTTY = false, signal = new AbortController().signal } = circumstances;
  const stdout = new Captured(isTTY, circumstances.onStdout);
  const stderr = new Captured(isTTY, circumstances.onStderr);
  const status = await run(args, { stdout, stderr, env, signal });
  const objects = () => {
    if (!stdout.text.endsWith("\n")) throw new Error("the last line of stdout has no end");
    return stdout.text
      .slice(0, -1)
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { status, stdout: stdout.text, stderr: stderr.text, objects, summary: () => objects().at(-1) ?? {} };
}
