/**
 * Exports a validator's state, one cycle at a time, while commits continue: initiates an export, and at its end publishes
 * or discards it. Reports each export once.
 */

import type { ChildProcess } from "node:child_process";
import { messageOf } from "../../../errors/snapshot-error.ts";
import type { Cycle, HashHex, Partition } from "../../../protocol/brands.ts";
import { type ExportEntry, ExportOperation, spawnExportProcess } from "./export-operation.ts";
import type { ExportStore, HeldExport } from "./export-store.ts";
import type { ExportRequest } from "./write-export.ts";

/** The content of an export; the export store chooses the directory. */
export type ExportTarget = Omit<ExportRequest, "directory">;

/** The stage at which an export failed. */
export type ExportStage = "initiate" | "export" | "retrieve" | "stop";

export type ExportReport = { readonly cycle: Cycle; readonly timestamp: number } & (
  | {
      readonly type: "export-retrieved";
      /** The time until the state was held, and until the export was written. */
      readonly startMs: number;
      readonly durationMs: number;
    }
  | { readonly type: "export-failed"; readonly stage: ExportStage; readonly cause: string }
);

export interface ExporterOptions {
  readonly entry: ExportEntry;
  readonly exportStore: ExportStore;
  readonly report: (report: ExportReport) => void;
  /** Serves a published export. */
  readonly serve: (held: HeldExport) => void;
  /** Called when a step is reached. */
  readonly onStep?: (step: "export" | "retrieve") => void;
}

interface ActiveExport {
  readonly target: ExportTarget;
  readonly operation: ExportOperation;
  /** Resolves when the export is published or discarded. */
  readonly ended: Promise<void>;
}

export class SnapshotExporter {
  readonly #options: ExporterOptions;
  #active: ActiveExport | undefined;
  /** A process that is ready, so that commits do not wait for its start. */
  #standby: ChildProcess | undefined;
  #isStopped = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** The export in progress. */
  get active(): ExportTarget | undefined {
    return this.#active?.target;
  }

  /** Starts the process of the next export. */
  prepare(): void {
    if (this.#isStopped || (this.#standby !== undefined && isAlive(this.#standby))) return;
    this.#standby = spawnExportProcess(this.#options.entry);
    // A failed start is noticed when the process receives its command.
    this.#standby.on("error", () => undefined);
  }

  /**
   * Begins an export. The next commit has to wait for {@link waitUntilStarted}.
   *
   * @param ownHashes of the target's partitions: an export with other hashes is discarded
   * @throws Error where another export is active; that one continues
   */
  initiate(target: ExportTarget, ownHashes: Promise<ReadonlyMap<Partition, HashHex>>): void {
    this.#checkNotActive(target);
    ownHashes.catch(() => undefined); // handled when the export is published
    const isReady = this.#standby !== undefined && isAlive(this.#standby);
    const child = isReady && this.#standby ? this.#standby : spawnExportProcess(this.#options.entry);
    this.#standby = undefined;
    const directory = this.#options.exportStore.workingDirectory(target.timestamp);
    const operation = new ExportOperation(child, { ...target, directory }, () =>
      this.#options.onStep?.("export"),
    );
    this.#active = { target, operation, ended: this.#supervise(target, operation, ownHashes) };
  }

  /** Resolves when no export is starting. */
  async waitUntilStarted(): Promise<void> {
    await this.#active?.operation.started.catch(() => undefined);
  }

  /** Resolves when the active export is published or discarded. */
  async waitUntilDone(): Promise<void> {
    await this.#active?.ended;
  }

  /** Discards the active export. No further export begins. */
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
      `no export of cycle ${cycle}: the export of cycle ${this.#active.target.cycle} is still active`,
    );
  }

  async #supervise(
    target: ExportTarget,
    operation: ExportOperation,
    ownHashes: Promise<ReadonlyMap<Partition, HashHex>>,
  ): Promise<void> {
    const { exportStore, report, serve, onStep } = this.#options;
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
      serve(await exportStore.retrieve(target, hashes));
      report({ type: "export-retrieved", cycle, timestamp, startMs, durationMs });
    } catch (error) {
      const cause = messageOf(error);
      await operation.end();
      const left = await exportStore.discard(timestamp).then(
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
