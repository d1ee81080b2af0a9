/**
 * The runner: performs the scheduler's actions through ports, and reports events back to it.
 *
 *     loop: action = scheduler.next(now)
 *           start, request, cancel, … → apply it, perform it
 *           wait → until a response ends, a partition is committed, or that time
 */

import type { ResponseReport } from "../artifact/response-report.ts";
import { isDiskFull, SnapshotError } from "../errors/snapshot-error.ts";
import { debug } from "../events/debug-channel.ts";
import { incompleteError } from "./incomplete.ts";
import type { PeerPool } from "./peers/peer-pool.ts";
import type { SyncPorts } from "./ports.ts";
import type { QueryId } from "./queries/partition-tasks.ts";
import { ResponseExchange } from "./response-exchange.ts";
import type { SchedulerTask } from "./run-state.ts";
import { Scheduler } from "./scheduler.ts";
import type { Decision, RequestDecision } from "./scheduler-actions.ts";
import type { SchedulerState } from "./scheduler-state.ts";

export class PartitionFetch {
  readonly #pool: PeerPool;
  readonly #ports: SyncPorts;
  readonly #scheduler: Scheduler;
  /** Requests whose response has not ended. */
  readonly #requests = new Map<QueryId, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  /** Ends the present wait. */
  #wake = new AbortController();
  /** An error that is not the failure of a peer: it ends the run. */
  #failure: { readonly error: unknown } | undefined;

  constructor(task: SchedulerTask, pool: PeerPool, ports: SyncPorts) {
    this.#pool = pool;
    this.#ports = ports;
    this.#scheduler = new Scheduler(task, pool);
  }

  /** Returns the present state of the run. */
  describe(): SchedulerState {
    return this.#scheduler.describe(this.#ports.clock.nowMs());
  }

  /**
   * Fetches all missing partitions.
   *
   * @throws SnapshotError `incomplete`, `verification`, `temporary`, `gone` or `disk`
   */
  async run(signal?: AbortSignal): Promise<void> {
    const abort = () => this.#wake.abort();
    signal?.addEventListener("abort", abort);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure.error;
        const action = this.#scheduler.next(this.#ports.clock.nowMs());
        if (action.type === "done") return;
        if (action.type === "give-up") throw incompleteError(this.#scheduler.pending, this.#pool);
        if (action.type === "wait") await this.#wait(action.untilMs);
        else this.#perform(action);
        // What is left of the disk is for the next response.
        if (action.type === "use-last-share") await this.#removeUnused();
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      for (const { stop } of this.#requests.values()) stop.abort();
      await Promise.all([...this.#requests.values()].map(({ ended }) => ended));
    }
  }

  #perform(decision: Decision): void {
    debug(() => this.#described(decision));
    this.#scheduler.apply({ type: "decided", decision, atMs: this.#ports.clock.nowMs() });
    if (decision.type === "request") this.#request(decision);
    if (decision.type === "cancel") this.#requests.get(decision.query)?.stop.abort();
    if (decision.type === "start" || decision.type === "use-last-share")
      for (const id of decision.yielding) this.#requests.get(id)?.stop.abort();
  }

  /** The debug event of a decision. A request names its peer. */
  #described(decision: Decision): { readonly type: string; readonly node?: string } {
    const type = `schedule.${decision.type}`;
    if (decision.type !== "request") return { ...decision, type };
    return { ...decision, type, node: this.#pool.id(decision.peer) };
  }

  #request(action: RequestDecision): void {
    const stop = new AbortController();
    const ended = this.#exchange(action, stop.signal)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#requests.delete(action.query);
        this.#wake.abort();
      });
    this.#requests.set(action.query, { stop, ended });
  }

  /** Sends one request, receives its response, and reports the end to the scheduler. */
  async #exchange(decision: RequestDecision, signal: AbortSignal): Promise<void> {
    const { query, body, partitions } = decision;
    const peer = this.#pool.peer(decision.peer);
    const requested = new Set(partitions);
    const isDelta = body.changedSince !== undefined;
    const onCommitted = () => this.#wake.abort();
    const exchange = new ResponseExchange(
      { query, peer, requested, isDelta, onCommitted },
      this.#scheduler,
      this.#ports,
    );
    try {
      const report = await this.#send(decision, exchange, signal);
      if (signal.aborted && this.#scheduler.cancellation(query) === undefined) return;
      exchange.report(report);
      const [atMs, random] = [this.#ports.clock.nowMs(), this.#ports.random()];
      this.#scheduler.apply({ type: "ended", query, report, atMs, random });
    } catch (error) {
      // A full disk does not end the run: other peers may send less.
      if (!(error instanceof SnapshotError) || !isDiskFull(error)) throw error;
      exchange.reportFullDisk();
      this.#scheduler.apply({ type: "disk-full", query, message: error.message });
    }
    await this.#removeUnused();
  }

  #send(
    { peer: index, body, partitions, bases }: RequestDecision,
    exchange: ResponseExchange,
    signal: AbortSignal,
  ): Promise<ResponseReport> {
    const peer = this.#pool.peer(index);
    const { transport, mirrors } = this.#ports;
    if (peer.kind === "node") return transport.request({ node: peer.node, body, signal }, exchange, exchange);
    const [partition] = partitions;
    if (partition === undefined || mirrors === undefined) throw new Error("a mirror cannot be requested");
    const base = bases.get(partition);
    const heldBytes = base?.kind === "beginning" ? base.bytes : 0;
    return mirrors.request({ mirror: peer.place, partition, heldBytes, signal }, exchange, exchange);
  }

  /** Removes files that no base needs any more. */
  async #removeUnused(): Promise<void> {
    const paths = new Set(this.#scheduler.unusedFiles);
    if (paths.size === 0) return;
    this.#scheduler.apply({ type: "removed", paths });
    for (const path of paths) await this.#ports.store.remove(path);
  }

  async #wait(untilMs: number | undefined): Promise<void> {
    const { clock } = this.#ports;
    const ms = untilMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, untilMs - clock.nowMs());
    await clock.sleep(ms, this.#wake.signal);
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }
}
