/** One request and its response: connects the transport, which receives bytes, with the scheduler, which decides on them. */

import type {
  MatchedPartition,
  PartitionBase,
  ResponseReceiver,
  ResponseReport,
} from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import type { ResponseOutcome } from "../errors/response-outcome.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { BaseOrigin } from "../events/sync-events.ts";
import type { HashHex, Partition, PeerId } from "../protocol/brands.ts";
import { offencesOf, outcomeOf } from "./classify-response.ts";
import { type Peer, peerId } from "./peers/peer.ts";
import type { ResponseObserver, SyncPorts } from "./ports.ts";
import type { QueryId } from "./queries/partition-tasks.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Exchange {
  readonly query: QueryId;
  readonly peer: Peer;
  readonly requested: ReadonlySet<Partition>;
  /** Whether accounts that have not changed for long may be missing. */
  readonly isDelta: boolean;
  /** Called when a partition is stored. */
  readonly onCommitted: () => void;
}

export class ResponseExchange implements ResponseReceiver, ResponseObserver {
  readonly requested: ReadonlySet<Partition>;
  readonly isDelta: boolean;
  readonly #query: QueryId;
  readonly #node: PeerId;
  readonly #onCommitted: () => void;
  readonly #scheduler: Scheduler;
  readonly #ports: SyncPorts;
  readonly #startedMs: number;
  readonly #verified: Partition[] = [];
  #wireBytes = 0;
  #bytes = 0;

  constructor(
    { query, peer, requested, isDelta, onCommitted }: Exchange,
    scheduler: Scheduler,
    ports: SyncPorts,
  ) {
    this.requested = requested;
    this.isDelta = isDelta;
    this.#query = query;
    this.#node = peerId(peer);
    this.#onCommitted = onCommitted;
    this.#scheduler = scheduler;
    this.#ports = ports;
    this.#startedMs = ports.clock.nowMs();
    ports.emit({ type: "request", node: this.#node });
  }

  stores(partition: Partition): boolean {
    return this.#scheduler.stores(this.#query, partition);
  }

  expected(partition: Partition): HashHex | undefined {
    return this.#scheduler.expected(this.#query, partition);
  }

  base(partition: Partition): PartitionBase | undefined {
    return this.#scheduler.base(this.#query, partition);
  }

  begin(partition: Partition): void {
    this.#scheduler.apply({ type: "begun", query: this.#query, partition });
  }

  wire(bytes: number): void {
    this.#wireBytes += bytes;
    this.#ports.emit({ type: "received", node: this.#node, bytes });
  }

  received(bytes: number): void {
    this.#scheduler.apply({ type: "received", query: this.#query, bytes, atMs: this.#ports.clock.nowMs() });
    this.#bytes += bytes;
    if (this.#bytes > this.#scheduler.responseBytesMax)
      throw new ResponseError("over-budget", `the response continues after ${this.#bytes} bytes`);
  }

  waiting(): void {
    this.#scheduler.apply({ type: "waiting", query: this.#query, atMs: this.#ports.clock.nowMs() });
  }

  ended(): void {
    this.#scheduler.apply({
      type: "received",
      query: this.#query,
      bytes: 0,
      atMs: this.#ports.clock.nowMs(),
    });
  }

  async mayHold(bytes: number, partition: Partition): Promise<boolean> {
    const { clock, store } = this.#ports;
    this.#scheduler.apply({ type: "held", query: this.#query, partition, bytes });
    if (this.#scheduler.budgetOf(this.#query) === "outgrown") return false;
    if (this.#scheduler.needsFreeSpace(clock.nowMs())) {
      const free = await store.freeBytes();
      this.#scheduler.apply({ type: "free-space", bytes: free, atMs: clock.nowMs() });
    }
    const budget = this.#scheduler.budgetOf(this.#query);
    if (typeof budget === "object") throw excessError(budget);
    return budget === "within";
  }

  /** Stores a partition of the first response that has it; drops the same partition of a later response. */
  async commit(matched: MatchedPartition): Promise<void> {
    const { store, clock, emit } = this.#ports;
    const { partition, accounts, bytes, baseBytes } = matched;
    const base = baseBytes === 0 ? undefined : this.#baseOrigin(partition);
    if (this.expected(partition) === undefined) {
      await store.discard(matched);
      return;
    }
    this.#scheduler.apply({ type: "settled", query: this.#query, partition });
    try {
      await store.accept(matched);
    } catch (error) {
      this.#scheduler.apply({ type: "unsettled", partition });
      throw error;
    }
    this.#scheduler.apply({ type: "committed", partition, bytes, atMs: clock.nowMs() });
    this.#verified.push(partition);
    this.#onCommitted();
    emit({ type: "verified", node: this.#node, partition, accounts, bytes, baseBytes, base });
    for (const oversized of this.#scheduler.oversized(partition, bytes)) {
      const detail = `sent more than ${oversized.bytes} bytes for a partition of ${bytes}`;
      emit({
        type: "offence",
        offence: { node: oversized.node, kind: "oversized-answer", partition, detail },
      });
    }
  }

  /** Emits the outcome of the response and its offences. Call it before the scheduler learns of the end. */
  report(report: ResponseReport): void {
    const { emit } = this.#ports;
    const { end } = report;
    const isAborted = end.kind === "failed" && end.error.kind === "aborted";
    const cancelled = isAborted ? this.#scheduler.cancellation(this.#query) : undefined;
    const status = end.kind === "failed" && end.error instanceof FetchError ? end.error.status : undefined;
    this.#emitResponse(cancelled ?? outcomeOf(report), status);
    for (const offence of offencesOf(this.#node, report)) emit({ type: "offence", offence });
    for (const mismatch of report.mismatched) emit({ type: "mismatched", node: this.#node, mismatch });
    for (const { partition, reason } of report.unfitBases)
      emit({ type: "unfit-base", node: this.#node, partition, base: this.#baseOrigin(partition), reason });
  }

  reportFullDisk(): void {
    this.#emitResponse("disk-full", undefined);
  }

  /** Returns where the base of a partition is from. */
  #baseOrigin(partition: Partition): BaseOrigin | undefined {
    return this.#scheduler.baseOrigin(this.#query, partition);
  }

  #emitResponse(outcome: ResponseOutcome, status: number | undefined): void {
    this.#ports.emit({
      type: "response",
      node: this.#node,
      partitions: [...this.requested],
      verified: this.#verified,
      bytes: this.#wireBytes,
      outcome,
      status,
      durationMs: Math.round(this.#ports.clock.nowMs() - this.#startedMs),
    });
  }
}

/** Returns the error for responses that hold more than their share of the disk. */
function excessError({ held, free }: { readonly held: number; readonly free: number }): SnapshotError {
  const problem = `${held} bytes that no hash confirms yet are too many for a disk with ${free} free bytes`;
  return new SnapshotError("disk", problem, {
    cause: Object.assign(new Error(problem), { code: "ENOSPC" }),
    hint: "Free some space and run again: verified partitions are kept and not fetched again.",
  });
}
