/**
 * A process of its own for one order on a database. The SQLite binding keeps a closed file open until its statements are
 * garbage collected, and ends the process on text that is not UTF-8.
 */

import { fork } from "node:child_process";
import { messageOf, SnapshotError, type SnapshotErrorCode } from "../errors/snapshot-error.ts";

/** The process cannot perform the order. Without a code, it is a defect. */
interface FailedReply {
  readonly kind: "failed";
  readonly code: SnapshotErrorCode | undefined;
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string | undefined;
}

/** The process has performed the order. */
interface DoneReply {
  readonly kind: "done";
  readonly result: unknown;
}

export interface DatabaseProcess<Progress> {
  /** The path of the compiled entry. */
  readonly entry: string;
  /** Options of Node. */
  readonly flags: readonly string[];
  /** Where SQLite sorts what exceeds its cache; by default in the system's directory for temporary files. */
  readonly scratchDirectory: string | undefined;
  /** Ends the process. */
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (reply: Progress) => void;
  /** Makes the error for a process that ends before it answers. */
  readonly endedEarly: () => Error;
}

/**
 * Gives an order to a process, and returns its result once the process has ended: its files are closed then.
 *
 * @throws SnapshotError with the code of the failure; the error of `endedEarly`; the reason of the signal
 */
export function performInProcess<Progress extends { readonly kind: string }>(
  order: object,
  { entry, flags, scratchDirectory, signal, onProgress, endedEarly }: DatabaseProcess<Progress>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const env = {
      ...process.env,
      ...(scratchDirectory !== undefined && { SQLITE_TMPDIR: scratchDirectory }),
    };
    // In a group of its own: a Ctrl-C goes to this process, which ends the other.
    const child = fork(entry, [], {
      ...{ env, detached: true, execArgv: [...flags] },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const abort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    let settle = () => reject(signal?.aborted === true ? signal.reason : endedEarly());
    child.on("message", (reply: Progress | DoneReply | FailedReply) => {
      if (isDone(reply)) settle = () => resolve(reply.result);
      else if (isFailed(reply)) settle = () => reject(errorOf(reply));
      else onProgress(reply);
    });
    child.once("error", (error) => {
      settle = () => reject(error);
      settle();
    });
    child.once("exit", () => {
      signal?.removeEventListener("abort", abort);
      settle();
    });
    child.send(order, () => undefined);
  });
}

function isDone(reply: { readonly kind: string }): reply is DoneReply {
  return reply.kind === "done";
}

function isFailed(reply: { readonly kind: string }): reply is FailedReply {
  return reply.kind === "failed";
}

function errorOf({ code, message, details, hint }: FailedReply): Error {
  if (code === undefined) return new Error(message);
  return new SnapshotError(code, message, { details, ...(hint === undefined ? {} : { hint }) });
}

/** In the process: performs the first order that arrives, and ends. The process also ends with its parent. */
export function performOneOrder<Order>(resultOf: (order: Order) => unknown): void {
  process.once("disconnect", () => process.exit());
  process.once("message", (order: Order) => {
    void replyTo(() => resultOf(order)).then((reply) => {
      process.send?.(reply, () => process.disconnect());
    });
  });
}

async function replyTo(perform: () => unknown): Promise<DoneReply | FailedReply> {
  try {
    return { kind: "done", result: await perform() };
  } catch (error) {
    if (!(error instanceof SnapshotError)) {
      return { kind: "failed", code: undefined, message: messageOf(error), details: [], hint: undefined };
    }
    const { code, message, details, hint } = error;
    return { kind: "failed", code, message, details, hint };
  }
}
