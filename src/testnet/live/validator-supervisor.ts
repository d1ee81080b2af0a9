/** Supervises one validator of a live cluster: starts its process, and restarts it when it has died. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { parseFault } from "../faults/faults.ts";
import type { SyncReport } from "../validator/state-sync/served-source.ts";
import type { ValidatorReport } from "../validator/validator.ts";
import type { ProcessLine, ProcessSettings } from "./validator-process.ts";

export type SupervisorEvent =
  | ValidatorReport
  | SyncReport
  /** The process ended unexpectedly. `isGivenUp`: it is not restarted. */
  | { readonly type: "validator-died"; readonly how: string; readonly isGivenUp: boolean }
  | { readonly type: "validator-restarted"; readonly pid: number };

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The pause before a restart, and the number of deaths within a time after which the supervisor gives up. */
const restartPauseMs = 500;
const deathsMax = 10;
const deathsWithinMs = 60_000;

/** The time between SIGTERM and SIGKILL. */
const endTimeoutMs = 3000;

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
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
  #hasLeft = false;
  #isKilled = false;

  constructor(settings: ProcessSettings, report: (event: SupervisorEvent) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process. Returns its URL, which a restart keeps. */
  async start(): Promise<string> {
    const child = this.#spawn();
    const url = await Promise.race([
      this.#listen(child),
      once(child, "exit").then(() => Promise.reject(this.#startFailure())),
    ]);
    this.#settings = { ...this.#settings, port: Number(new URL(url).port) };
    // After its last line.
    child.once("close", (status, signal) => this.#died(signal ?? `status ${status}`));
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

  /** Kills the process, which is not restarted. */
  kill(): void {
    this.#isKilled = true;
    // Without a process, it waits for its restart.
    if (this.#child?.kill("SIGKILL") !== true) this.#died("SIGKILL");
  }

  #spawn(): Child {
    // In a group of its own: a Ctrl-C goes to the cluster, which ends its validators itself.
    const child = spawn(process.execPath, [entry, JSON.stringify(this.#settings)], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    child.stdin.on("error", () => undefined);
    this.#child = child;
    this.#lastError = undefined;
    return child;
  }

  /** Forwards the reports of the process. Resolves with its URL. */
  #listen(child: Child): Promise<string> {
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      createInterface({ input: child.stdout }).on("line", (text) => {
        const line = lineOf(text);
        if (line === undefined) return;
        if (line.type === "listening") resolve(line.url);
        else if (line.type === "error") this.#lastError = line;
        else {
          // The process ends after this report.
          if (line.type === "left") this.#hasLeft = true;
          this.#report(line);
        }
      });
    });
  }

  #startFailure(): SnapshotError {
    const { message = "the process ended", code = "temporary", hint = "Try again." } = this.#lastError ?? {};
    return new SnapshotError(code, `validator ${this.#settings.index} did not start: ${message}`, { hint });
  }

  #died(how: string): void {
    if (this.#isEnding || this.#hasLeft) return;
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((time) => now - time < deathsWithinMs), now];
    const isGivenUp = this.#isKilled || this.#deaths.length > deathsMax;
    const cause = this.#lastError === undefined ? how : `${how}: ${this.#lastError.message}`;
    this.#report({ type: "validator-died", how: cause, isGivenUp });
    if (!isGivenUp) setTimeout(() => void this.#restart(), restartPauseMs);
  }

  async #restart(): Promise<void> {
    if (this.#isEnding || this.#isKilled) return;
    // The fault kills a validator once.
    const { live } = this.#settings;
    const faults = live.faults.filter((fault) => parseFault(fault).name !== "kill-at");
    this.#settings = { ...this.#settings, live: { ...live, faults } };
    try {
      await this.start();
      this.#report({ type: "validator-restarted", pid: this.pid ?? 0 });
    } catch {
      this.#died("the restart failed");
    }
  }
}

/** Returns `undefined` for the incomplete line of a killed process. */
function lineOf(text: string): ProcessLine | undefined {
  try {
    return JSON.parse(text) as ProcessLine;
  } catch {
    return undefined;
  }
}
