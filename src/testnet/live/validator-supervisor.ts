/** Keeps one validator of a live cluster running: starts its process, and starts it again when it has died. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { parseFault } from "../faults/faults.ts";
import type { ValidatorReport } from "../validator/validator.ts";
import type { ProcessLine, ProcessSettings } from "./validator-process.ts";

export type SupervisorEvent =
  | ValidatorReport
  /** The process has ended without being told to. `isGivenUp`: it does nothing else any more. */
  | { readonly type: "validator-died"; readonly how: string; readonly isGivenUp: boolean }
  | { readonly type: "validator-restarted"; readonly pid: number };

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Before a validator is started again, and after how many deaths within which time it is not. */
const restartPauseMs = 500;
const deathsMax = 10;
const deathsWithinMs = 60_000;

/** After which a process that was asked to end is ended. */
const endTimeoutMs = 3000;

/** Compiled, the entry stands beside this file; as a source, Node cannot run it, so its build is taken. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/testnet/live/validator-process.js"
      : "./validator-process.js",
    import.meta.url,
  ),
);

export class ValidatorSupervisor {
  readonly #report: (event: SupervisorEvent) => void;
  #settings: ProcessSettings;
  #child: Child | undefined;
  #deaths: number[] = [];
  #lastError: (ProcessLine & { type: "error" }) | undefined;
  #isEnding = false;

  constructor(settings: ProcessSettings, report: (event: SupervisorEvent) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it; answers where it listens, which stays so. */
  async start(): Promise<string> {
    const child = this.#spawn();
    const url = await Promise.race([
      this.#heard(child),
      once(child, "exit").then(() => Promise.reject(this.#startFailure())),
    ]);
    this.#settings = { ...this.#settings, port: Number(new URL(url).port) };
    child.once("exit", (status, signal) => this.#died(signal ?? `status ${status}`));
    return url;
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
    await exited;
    clearTimeout(timer);
  }

  #spawn(): Child {
    // In a group of its own: a Ctrl-C is for the cluster, which ends its validators in its order.
    const child = spawn(process.execPath, [entry, JSON.stringify(this.#settings)], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    child.stdin.on("error", () => undefined);
    this.#child = child;
    this.#lastError = undefined;
    return child;
  }

  /** Resolves with where it listens, and goes on listening to what it says. */
  #heard(child: Child): Promise<string> {
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      createInterface({ input: child.stdout }).on("line", (text) => {
        const line = lineOf(text);
        if (line === undefined) return;
        if (line.type === "listening") resolve(line.url);
        else if (line.type === "error") this.#lastError = line;
        else this.#report(line);
      });
    });
  }

  #startFailure(): SnapshotError {
    const { message = "it ended", code = "temporary", hint = "Try again." } = this.#lastError ?? {};
    return new SnapshotError(code, `validator ${this.#settings.index} did not start: ${message}`, { hint });
  }

  #died(how: string): void {
    if (this.#isEnding) return;
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((time) => now - time < deathsWithinMs), now];
    const isGivenUp = this.#deaths.length > deathsMax;
    const words = this.#lastError === undefined ? how : `${how}: ${this.#lastError.message}`;
    this.#report({ type: "validator-died", how: words, isGivenUp });
    if (!isGivenUp) setTimeout(() => void this.#restart(), restartPauseMs);
  }

  async #restart(): Promise<void> {
    if (this.#isEnding) return;
    // It was to be killed once.
    const { live } = this.#settings;
    const faults = live.faults.filter((fault) => parseFault(fault).name !== "kill-at");
    this.#settings = { ...this.#settings, live: { ...live, faults } };
    try {
      await this.start();
      this.#report({ type: "validator-restarted", pid: this.pid ?? 0 });
    } catch {
      this.#died("it did not start again");
    }
  }
}

/** `undefined` for what a process that is killed leaves half said. */
function lineOf(text: string): ProcessLine | undefined {
  try {
    return JSON.parse(text) as ProcessLine;
  } catch {
    return undefined;
  }
}
