/** Gives an order to a process of its own (restore-process.ts), and waits for its result. */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RestoreReply, RestoreWork } from "./restore-process.ts";

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../dist/restore/restore-process.js" : "./restore-process.js",
    import.meta.url,
  ),
);

/** What a process reads lives for a moment. Without this bound, 30 MB of it wait to be freed. */
const childFlags = ["--max-semi-space-size=1"];

export interface ChildOptions {
  readonly onProgress?: ((accounts: number) => void) | undefined;
  readonly onReceipts?: (receipts: number, total: number) => void;
  /** Where SQLite sorts what exceeds its cache; by default in the system's directory for temporary files. */
  readonly scratchDirectory?: string;
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws SnapshotError with the code of the failure; `disk` if the process ended before it answered */
export function performInChild<Kind extends keyof RestoreWork>(
  order: RestoreWork[Kind]["order"],
  { onProgress, onReceipts, scratchDirectory, signal }: ChildOptions = {},
): Promise<RestoreWork[Kind]["result"]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const env = { ...process.env, ...(scratchDirectory && { SQLITE_TMPDIR: scratchDirectory }) };
    // In a group of its own: a Ctrl-C goes to this process, which ends the other.
    const child = fork(entry, [], {
      ...{ env, detached: true, execArgv: childFlags },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const abort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    let settle = () => reject(signal?.aborted === true ? signal.reason : endedEarly(order.kind));
    child.on("message", (reply: RestoreReply) => {
      if (reply.kind === "progress") onProgress?.(reply.accounts);
      else if (reply.kind === "replayed") onReceipts?.(reply.receipts, reply.total);
      else if (reply.kind === "done") settle = () => resolve(reply.result as RestoreWork[Kind]["result"]);
      else settle = () => reject(failureOf(reply));
    });
    child.once("error", (error) => {
      settle = () => reject(error);
      settle();
    });
    // The file is closed when the process has ended.
    child.once("exit", () => {
      signal?.removeEventListener("abort", abort);
      settle();
    });
    child.send(order, () => undefined);
  });
}

function failureOf({ code, message, hint }: Extract<RestoreReply, { kind: "failed" }>): Error {
  if (code === undefined) return new Error(message);
  return new SnapshotError(code, message, hint === undefined ? {} : { hint });
}

/** The SQLite binding ends the process if a text is not UTF-8, which nothing but a damaged file has here. */
function endedEarly(kind: string): SnapshotError {
  return new SnapshotError("disk", `the process that should ${kind} ended before it was done`, {
    hint: "Nothing was replaced. Check the disk and the memory of this machine, and run again.",
  });
}
