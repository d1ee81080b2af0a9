/**
 * One export from the view of its validator: a process that receives a command, reports its start, and reports its end or
 * a failure. The first failure counts.
 */

import { type ChildProcess, fork } from "node:child_process";
import type { Partition } from "../../../protocol/brands.ts";
import { exportStartMaxMs, exportTimeMaxMs } from "../../limits.ts";
import type { ExportCommand, ExportMessage } from "./export-protocol.ts";
import type { ExportRequest } from "./write-export.ts";

/** The script of an export process, and its arguments. */
export interface ExportEntry {
  readonly path: string;
  readonly arguments: readonly string[];
}

/** Starts a process that waits for an {@link ExportCommand}. */
export function spawnExportProcess({ path, arguments: args }: ExportEntry): ChildProcess {
  return fork(path, args, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
}

export class ExportOperation {
  /** Resolves when the process holds the state, so that commits can continue; rejects when the export fails before. */
  readonly started: Promise<void>;
  /** Resolves when the export is written; rejects with the first failure. */
  readonly done: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #failures: ((cause: Error) => void)[] = [];
  #start: () => void = () => undefined;
  #finish: () => void = () => undefined;

  constructor(child: ChildProcess, request: ExportRequest, onWrote: (partition: Partition) => void) {
    this.#child = child;
    this.started = new Promise((resolve, reject) => {
      this.#start = resolve;
      this.#failures.push(reject);
    });
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#failures.push(reject);
    });
    // A caller may wait for one of the two only; the other rejection counts as handled.
    for (const promise of [this.started, this.done]) promise.catch(() => undefined);
    const failLater = (doing: string, afterMs: number) =>
      setTimeout(() => this.fail(new Error(`the export had not ${doing} after ${afterMs} ms`)), afterMs);
    this.#timers = [failLater("started", exportStartMaxMs), failLater("ended", exportTimeMaxMs)];
    child.on("message", (message: ExportMessage) => this.#receive(message, onWrote));
    child.on("error", (error) => this.fail(error));
    if (child.pid === undefined || hasEnded(child)) {
      // A failed start is reported by an error event, which follows.
      this.#exited = Promise.resolve();
      setImmediate(() => this.fail(new Error("the export process ended before the export")));
      return;
    }
    this.#exited = new Promise((resolve) => {
      child.once("exit", (status, signal) => {
        this.fail(new Error(`the export process ended (${signal ?? `status ${status}`})`));
        resolve();
      });
    });
    const command: ExportCommand = { type: "export", request };
    child.send(command, (error) => {
      if (error !== null) this.fail(error);
    });
  }

  /** Makes the export fail, unless it has already ended. */
  fail(cause: Error): void {
    for (const reject of this.#failures) reject(cause);
  }

  /** Kills the process. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #receive(message: ExportMessage, onWrote: (partition: Partition) => void): void {
    switch (message.type) {
      case "ready":
        break;
      case "started":
        clearTimeout(this.#timers[0]);
        this.#start();
        break;
      case "wrote":
        onWrote(message.partition);
        break;
      case "done":
        this.#finish();
        break;
      case "failed":
        this.fail(new Error(message.message));
        break;
    }
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
