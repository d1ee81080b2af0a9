/**
 * One export, as its validator sees it: a process that is told what to export, says that it has started, and
 * says that it is done; or that fails, of which the first cause counts.
 */

import { type ChildProcess, fork } from "node:child_process";
import { exportStartMaxMs, exportTimeMaxMs } from "../../limits.ts";
import type { ExportCommand, ExportMessage } from "./export-protocol.ts";
import type { ExportRequest } from "./write-export.ts";

/** The script of an export's process, and what it is called with. */
export interface ExportEntry {
  readonly path: string;
  readonly arguments: readonly string[];
}

/** A process that waits to be told what to export. */
export function spawnExportProcess({ path, arguments: args }: ExportEntry): ChildProcess {
  return fork(path, args, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
}

export class ExportOperation {
  /** Resolves when the state is held, so that commits may go on; rejects with the export. */
  readonly started: Promise<void>;
  /** Resolves when the export is written; rejects with the first cause of its failure. */
  readonly done: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #failures: ((cause: Error) => void)[] = [];
  #start: () => void = () => undefined;
  #finish: () => void = () => undefined;

  constructor(child: ChildProcess, request: ExportRequest, onWrote: (partition: number) => void) {
    this.#child = child;
    this.started = new Promise((resolve, reject) => {
      this.#start = resolve;
      this.#failures.push(reject);
    });
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#failures.push(reject);
    });
    // Whoever waits for neither is told of a failure all the same, by whoever waits for the whole.
    for (const promise of [this.started, this.done]) promise.catch(() => undefined);
    const failLater = (doing: string, afterMs: number) =>
      setTimeout(() => this.fail(new Error(`it had not ${doing} after ${afterMs} ms`)), afterMs);
    this.#timers = [failLater("started", exportStartMaxMs), failLater("ended", exportTimeMaxMs)];
    child.on("message", (message: ExportMessage) => this.#hear(message, onWrote));
    child.on("error", (error) => this.fail(error));
    if (child.pid === undefined || hasEnded(child)) {
      // One that could not be started says why with an error, which comes next.
      this.#exited = Promise.resolve();
      setImmediate(() => this.fail(new Error("its process had ended before")));
      return;
    }
    this.#exited = new Promise((resolve) => {
      child.once("exit", (status, signal) => {
        this.fail(new Error(`its process ended (${signal ?? `status ${status}`})`));
        resolve();
      });
    });
    const command: ExportCommand = { type: "export", request };
    child.send(command, (error) => {
      if (error !== null) this.fail(error);
    });
  }

  /** Makes the export fail, unless it has already. */
  fail(cause: Error): void {
    for (const reject of this.#failures) reject(cause);
  }

  /** Ends the process, whatever it is doing. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #hear(message: ExportMessage, onWrote: (partition: number) => void): void {
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
