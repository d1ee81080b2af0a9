/** Gives an order to a process of its own (index-process.ts), and waits for its result. */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { IndexReply, IndexWork } from "./index-process.ts";

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../../dist/serve/index/index-process.js" : "./index-process.js",
    import.meta.url,
  ),
);

export interface IndexChildOptions {
  readonly onProgress?: (accounts: number) => void;
  /** Where SQLite sorts what exceeds its cache. */
  readonly scratchDirectory: string;
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined;
}

/** The process ended before it answered: a damaged file can end it. */
export class IndexProcessError extends Error {
  override readonly name = "IndexProcessError";
  readonly code = "index-process";
}

/** @throws SnapshotError with the code of the failure; {@link IndexProcessError} */
export function performOnIndex<Kind extends keyof IndexWork>(
  order: IndexWork[Kind]["order"],
  { onProgress, scratchDirectory, signal }: IndexChildOptions,
): Promise<IndexWork[Kind]["result"]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // In a group of its own: a Ctrl-C goes to this process, which ends the other.
    const child = fork(entry, [], {
      ...{ env: { ...process.env, SQLITE_TMPDIR: scratchDirectory }, detached: true, execArgv: [] },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const abort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    let settle = () => reject(signal?.aborted === true ? signal.reason : new IndexProcessError(order.kind));
    child.on("message", (reply: IndexReply) => {
      if (reply.kind === "progress") onProgress?.(reply.accounts);
      else if (reply.kind === "done") settle = () => resolve(reply.result as IndexWork[Kind]["result"]);
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

function failureOf({ code, message, details, hint }: Extract<IndexReply, { kind: "failed" }>): Error {
  if (code === undefined) return new Error(message);
  return new SnapshotError(code, message, { details, ...(hint === undefined ? {} : { hint }) });
}
