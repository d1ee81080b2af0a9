/** Records the events of a run: folds them into its state, and forwards them to its reporter. */

import type { ReportedOffence } from "../errors/offence.ts";
import type { SnapshotErrorCode } from "../errors/snapshot-error.ts";
import type { Offence, Reporter, RunSummary } from "./assemble-events.ts";
import { listOf } from "./chain.ts";
import { debug } from "./debug-channel.ts";
import { reportOf } from "./reports.ts";
import type { RunEvent } from "./run-events.ts";
import { initialState, type RunState, reduce, summaryOf } from "./run-state.ts";

export class RunLog {
  readonly #reporter: Reporter | undefined;
  readonly #startedMs = performance.now();
  #state: RunState = initialState;

  constructor(reporter: Reporter | undefined) {
    this.#reporter = reporter;
  }

  get state(): RunState {
    return this.#state;
  }

  get cycle(): number | null {
    return this.#state.boundary.cycle;
  }

  get areSettingsProved(): boolean {
    return this.#state.boundary.areSettingsProved;
  }

  get offences(): readonly ReportedOffence[] {
    return listOf(this.#state.offences.recorded);
  }

  record(event: RunEvent): void {
    // Debug events for each chunk would hide all others; `schedule.request` and `http.start` announce a request.
    if (event.type !== "received" && event.type !== "request") debug(() => event);
    const before = this.#state;
    this.#state = reduce(before, event);
    const report = reportOf(event, before, this.#state);
    if (report !== undefined) this.#reporter?.report(report);
  }

  stage(message: string): void {
    this.record({ type: "stage", message });
  }

  warn(message: string): void {
    this.record({ type: "warning", message });
  }

  offence(offence: Offence): void {
    this.record({ type: "offence", offence });
  }

  summary(): RunSummary {
    return summaryOf(this.#state, performance.now() - this.#startedMs);
  }

  /** Reports the end of the run. */
  end(failure: SnapshotErrorCode | undefined): void {
    this.#reporter?.report({ type: "end", summary: this.summary(), failure });
  }
}
