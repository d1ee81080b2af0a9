/**
 * Exports a validator's state, one moment at a time, while commits go on: initiates an export, says when it
 * has started, and in the end retrieves or discards it. Each export is reported on once.
 */

import type { ChildProcess } from "node:child_process";
import { messageOf } from "../../../errors/snapshot-error.ts";
import { type ExportEntry, ExportOperation, spawnExportProcess } from "./export-operation.ts";
import type { ExportShelf, HeldExport } from "./export-shelf.ts";
import type { ExportRequest } from "./write-export.ts";

/** What is exported; where it is written is the shelf's matter. */
export type ExportTarget = Omit<ExportRequest, "directory">;

/** At what an export has failed. */
export type ExportStage = "initiate" | "export" | "retrieve" | "stop";

export type ExportReport = { readonly cycle: number; readonly timestamp: number } & (
  | {
      readonly type: "export-retrieved";
      /** From the beginning until the state was held, and until all was written. */
      readonly startMs: number;
      readonly durationMs: number;
    }
  | { readonly type: "export-failed"; readonly stage: ExportStage; readonly cause: string }
);

export interface ExporterOptions {
  readonly entry: ExportEntry;
  readonly shelf: ExportShelf;
  readonly report: (report: ExportReport) => void;
  /** Takes a retrieved export, to serve from it. */
  readonly serve: (held: HeldExport) => void;
  /** Called as steps are reached. */
  readonly onStep?: (step: "export" | "retrieve") => void;
}

interface ActiveExport {
  readonly target: ExportTarget;
  readonly operation: ExportOperation;
  /** Resolves when it is retrieved or discarded. */
  readonly ended: Promise<void>;
}

export class SnapshotExporter {
  readonly #options: ExporterOptions;
  #active: ActiveExport | undefined;
  /** A process that is ready, so that commits do not wait for one to start. */
  #standby: ChildProcess | undefined;
  #isStopped = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** What is being exported. */
  get active(): ExportTarget | undefined {
    return this.#active?.target;
  }

  /** Has a process ready for the next export. */
  prepare(): void {
    if (this.#isStopped || (this.#standby !== undefined && isAlive(this.#standby))) return;
    this.#standby = spawnExportProcess(this.#options.entry);
    // One that cannot be started is noticed when it is told what to do.
    this.#standby.on("error", () => undefined);
  }

  /**
   * Begins an export. The next commit has to wait for {@link waitUntilStarted}.
   *
   * @param ownHashes of the target's partitions: an export with others is discarded
   * @throws Error where another export is active, which goes on
   */
  initiate(target: ExportTarget, ownHashes: Promise<ReadonlyMap<number, string>>): void {
    this.#checkNotActive(target);
    ownHashes.catch(() => undefined); // told when the export is to be retrieved
    const isReady = this.#standby !== undefined && isAlive(this.#standby);
    const child = isReady && this.#standby ? this.#standby : spawnExportProcess(this.#options.entry);
    this.#standby = undefined;
    const directory = this.#options.shelf.workingDirectory(target.timestamp);
    const operation = new ExportOperation(child, { ...target, directory }, () =>
      this.#options.onStep?.("export"),
    );
    this.#active = { target, operation, ended: this.#seeToIt(target, operation, ownHashes) };
  }

  /** Resolves when no export is about to begin: it has started, or failed, or there is none. */
  async waitUntilStarted(): Promise<void> {
    await this.#active?.operation.started.catch(() => undefined);
  }

  /** Resolves when the active export is retrieved or discarded. */
  async waitUntilDone(): Promise<void> {
    await this.#active?.ended;
  }

  /** Discards the active export, and begins no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#standby?.kill("SIGKILL");
    this.#active?.operation.fail(new ExportStoppedError("the validator was stopped"));
    await this.waitUntilDone();
  }

  #checkNotActive({ cycle }: ExportTarget): void {
    if (this.#isStopped) throw new Error(`no export of cycle ${cycle}: the validator was stopped`);
    if (this.#active === undefined) return;
    throw new Error(
      `no export of cycle ${cycle}: that of cycle ${this.#active.target.cycle} is still active`,
    );
  }

  async #seeToIt(
    target: ExportTarget,
    operation: ExportOperation,
    ownHashes: Promise<ReadonlyMap<number, string>>,
  ): Promise<void> {
    const { shelf, report, serve, onStep } = this.#options;
    const { cycle, timestamp } = target;
    const beginning = performance.now();
    let stage: ExportStage = "initiate";
    try {
      await operation.started;
      const startMs = performance.now() - beginning;
      stage = "export";
      await operation.done;
      const durationMs = performance.now() - beginning;
      stage = "retrieve";
      await operation.end();
      const hashes = await ownHashes;
      onStep?.("retrieve");
      serve(await shelf.retrieve(target, hashes));
      report({ type: "export-retrieved", cycle, timestamp, startMs, durationMs });
    } catch (error) {
      const cause = messageOf(error);
      await operation.end();
      const left = await shelf.discard(timestamp).then(
        () => "",
        (problem: unknown) => `; ${messageOf(problem)}`,
      );
      const failedAt = error instanceof ExportStoppedError ? "stop" : stage;
      report({ type: "export-failed", cycle, timestamp, stage: failedAt, cause: cause + left });
    } finally {
      this.#active = undefined;
      this.prepare();
    }
  }
}

class ExportStoppedError extends Error {
  override readonly name = "ExportStoppedError";
  readonly code = "export-stopped";
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null && child.connected;
}
