/** Starts a cluster in a process of its own, so that it shares neither memory nor event loop with its parent. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { SnapshotError, type SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import type { Cluster, ClusterDescription } from "./cluster.ts";

/** The line that the process prints. */
export type ClusterLine =
  | ({ readonly type: "cluster" } & ClusterDescription)
  | {
      readonly type: "error";
      readonly code: string | undefined;
      readonly message: string;
      readonly hint: string | undefined;
    };

export interface SpawnOptions {
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The time between SIGTERM and SIGKILL. */
const endTimeoutMs = 2000;

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/testnet/cluster/cluster-process.js"
      : "./cluster-process.js",
    import.meta.url,
  ),
);

/**
 * Starts the cluster of a fixture in a process of its own.
 *
 * @throws SnapshotError as {@link loadFixture} and {@link startCluster} do
 */
export async function spawnCluster(fixtureNameOrPath: string, options: SpawnOptions = {}): Promise<Cluster> {
  options.signal?.throwIfAborted();
  // In a group of its own: a Ctrl-C goes to the run alone, which may need responses until it ends.
  const child = spawn(process.execPath, [entry, fixtureNameOrPath], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const abort = () => child.kill("SIGKILL");
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    const line = await firstLine(child);
    options.signal?.throwIfAborted();
    if (line === undefined) {
      throw new SnapshotError("configuration", "the process of the cluster ended before it listened", {
        hint: "Its stderr gives the reason. Often a limit of open files, processes or memory is too low.",
      });
    }
    if (line.type === "error") throw failureOf(line);
    // It does not keep its parent alive, and ends with it, since its stdin closes.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) (pipe as Socket).unref();
    const { type: _type, ...description } = line;
    return { ...description, stop: () => stopped(child) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

async function firstLine(child: Child): Promise<ClusterLine | undefined> {
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([lines[Symbol.asyncIterator]().next(), failed]);
  lines.close();
  return first.done === true ? undefined : (JSON.parse(first.value) as ClusterLine);
}

function failureOf({ code, message, hint }: ClusterLine & { type: "error" }): Error {
  if (code !== "usage" && code !== "configuration") return new Error(`the cluster did not start: ${message}`);
  return new SnapshotError(code satisfies SnapshotErrorCode, message, hint === undefined ? {} : { hint });
}

async function stopped(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.ref();
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
  await exited;
  clearTimeout(timer);
}
