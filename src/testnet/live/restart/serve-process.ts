/** Serves published snapshots for a cluster that starts from one of them: `serve`, in a process of its own. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { SnapshotError, type SnapshotErrorCode } from "../../../errors/snapshot-error.ts";

/** A snapshot that was verified, and is served. */
export interface ListedSnapshot {
  readonly digest: string;
  readonly timestamp: number;
}

export interface ServeProcess {
  readonly url: string;
  readonly snapshots: readonly ListedSnapshot[];
  stop(): Promise<void>;
}

/** The lines that `serve --json` prints, as far as they matter here. */
type Line =
  | ({ readonly type: "snapshot" } & ListedSnapshot)
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "summary"; readonly error?: ServeFailure }
  | { readonly type: "verifying" | "key" };

interface ServeFailure {
  readonly code: SnapshotErrorCode | "defect";
  readonly message: string;
  readonly hint?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const program = fileURLToPath(new URL("../../../../bin/snapshot-assemble.js", import.meta.url));

/** The compiled module: beside this file, or in `dist/` where this file is a source. */
const preloaded = new URL(
  import.meta.url.endsWith(".ts")
    ? "../../../../dist/testnet/live/restart/end-with-parent.js"
    : "./end-with-parent.js",
  import.meta.url,
).href;

/** The time between SIGTERM and SIGKILL. */
const endTimeoutMs = 3000;

/**
 * @param directory of a published snapshot, or of several
 * @throws SnapshotError the one of `serve`, for example if a snapshot does not verify
 */
export async function startServe(
  directory: string,
  host: string,
  signal: AbortSignal | undefined,
): Promise<ServeProcess> {
  const args = ["--import", preloaded, program, "serve", directory, "--listen", `${host}:0`, "--json"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
  child.stdin.on("error", () => undefined);
  const abort = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return { ...(await listening(child)), stop: () => stopped(child) };
  } finally {
    signal?.removeEventListener("abort", abort);
    signal?.throwIfAborted();
  }
}

function listening(child: Child): Promise<Omit<ServeProcess, "stop">> {
  const snapshots: ListedSnapshot[] = [];
  let failure: ServeFailure | undefined;
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      if (line.type === "snapshot") snapshots.push({ digest: line.digest, timestamp: line.timestamp });
      if (line.type === "listening") resolve({ url: line.url, snapshots });
      if (line.type === "summary") failure = line.error;
    });
    child.once("error", reject);
    child.once("close", () => reject(errorOf(failure)));
  });
}

function errorOf(failure: ServeFailure | undefined): Error {
  const { code = "defect", message = "the process ended", hint } = failure ?? {};
  const problem = `cannot serve the snapshot: ${message}`;
  if (code === "defect") return new Error(problem);
  return new SnapshotError(code, problem, hint === undefined ? {} : { hint });
}

async function stopped(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
  await exited;
  clearTimeout(timer);
}
