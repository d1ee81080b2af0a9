/**
 * The loop that has all missing partitions fetched: who is asked next for what, who is late and overtaken by
 * others, and when there is nobody left to ask. What becomes of an answer is `node-asker.ts`.
 */

import { sleep } from "../fetch/sleep.ts";
import { answerTailMs, latenessCheckMs, lateUnmeasuredMs, patienceMax } from "../limits/limits.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import type { FetchContext } from "./fetch-context.ts";
import { giveWay, stragglers, stragglingPartitions } from "./hedging.ts";
import { incompleteError } from "./incomplete.ts";
import { NodeAsker } from "./node-asker.ts";
import { NodeQuery } from "./node-query.ts";
import { PartitionTasks } from "./partition-tasks.ts";
import { QueryPlanner } from "./query-planner.ts";
import { Throughput } from "./throughput.ts";
import { WakefulClock } from "./wakeful-clock.ts";

export class PartitionFetch {
  readonly #context: FetchContext;
  readonly #claims: PartitionTasks;
  readonly #speeds = new Throughput();
  readonly #clock = new WakefulClock();
  readonly #planner: QueryPlanner;
  readonly #asker: NodeAsker;
  /** Queries under way, each with its end. */
  readonly #running = new Map<NodeQuery, Promise<void>>();
  /** How many times longer than usual answers are waited for, and since when. */
  #patience = 1;
  #patientSinceMs = performance.now();
  /** Once the disk was full: then nothing else takes space beside an answer. */
  #isOneAtATime = false;

  constructor(missing: Iterable<number>, context: FetchContext) {
    this.#context = context;
    this.#claims = new PartitionTasks(missing);
    const emptyHash = hashText(EMPTY_PREIMAGE, context.hashKey);
    const isEmpty = (partition: number) => context.agreedHashes.get(partition) === emptyHash;
    const [speeds, clock] = [this.#speeds, this.#clock];
    this.#planner = new QueryPlanner({ ...context, speeds, rule: context.order, isEmpty });
    this.#asker = new NodeAsker({ ...context, claims: this.#claims, speeds, clock, isEmpty });
  }

  /** @throws SnapshotError `incomplete`, `verification`, `temporary` or `disk` */
  async run(): Promise<void> {
    const { signal, book } = this.#context;
    const { missing, open } = this.#claims;
    const stop = new AbortController();
    const stopClock = this.#clock.start();
    try {
      while (missing.size > 0) {
        signal?.throwIfAborted();
        for (let query = this.#next(); query !== undefined; query = this.#next())
          this.#start(query, stop.signal);
        const wakeMs = this.#hasRoom() ? book.nextMs(open) : undefined;
        if (this.#running.size === 0 && wakeMs === undefined) {
          if (this.#isOneAtATime || !this.#asker.tryLastShare(missing)) throw incompleteError(missing, book);
          this.#isOneAtATime = true;
          continue;
        }
        await this.#untilSomethingHappens(wakeMs);
      }
      await this.#finish();
    } finally {
      stopClock();
      stop.abort();
      await Promise.allSettled(this.#running.values());
    }
  }

  #hasRoom(): boolean {
    return this.#running.size < (this.#isOneAtATime ? 1 : this.#context.concurrency);
  }

  #next(): NodeQuery | undefined {
    const planned = this.#hasRoom() ? this.#planner.next(this.#claims.open, performance.now()) : undefined;
    return planned === undefined ? this.#nextOvertaking() : new NodeQuery(planned, false);
  }

  /** Late partitions are asked elsewhere as well, while those go on who are late with them. */
  #nextOvertaking(): NodeQuery | undefined {
    const running = [...this.#running.keys()].filter(({ cancellation }) => cancellation === undefined);
    const lateOnes = stragglers(running, this.#speeds, this.#patience);
    const late = stragglingPartitions(lateOnes, this.#claims);
    if (late.size === 0) return undefined;
    const nowMs = performance.now();
    const askedOf = (index: number) => this.#claims.askedOf(index);
    const planned = this.#planner.elsewhere(late, askedOf, nowMs);
    if (planned === undefined) {
      this.#beMorePatient(late, nowMs);
      return undefined;
    }
    const { concurrency } = this.#context;
    for (const query of giveWay(planned.partitions, { running, late: lateOnes, concurrency }, this.#claims))
      query.cancel("overtaken");
    return new NodeQuery(planned, true);
  }

  /** Everybody was asked for what is late: they may be once more, and have longer for it. */
  #beMorePatient(late: ReadonlySet<number>, nowMs: number): void {
    if (nowMs - this.#patientSinceMs < this.#patience * lateUnmeasuredMs) return;
    this.#patientSinceMs = nowMs;
    this.#patience = Math.min(patienceMax, 2 * this.#patience);
    this.#claims.askAgain(late);
  }

  #start(query: NodeQuery, stop: AbortSignal): void {
    this.#context.book.asked(query.nodeIndex);
    this.#claims.begin(query);
    const ended = this.#asker.ask(query, stop).finally(() => {
      this.#claims.release(query);
      this.#running.delete(query);
    });
    this.#running.set(query, ended);
  }

  /** Until a query is over, a node may be asked again, or somebody may be late. */
  async #untilSomethingHappens(wakeMs: number | undefined): Promise<void> {
    const { signal } = this.#context;
    const timer = new AbortController();
    const nowMs = performance.now();
    const checkMs = this.#running.size === 0 ? Number.POSITIVE_INFINITY : nowMs + latenessCheckMs;
    const wake = sleep(Math.max(0, Math.min(wakeMs ?? checkMs, checkMs) - nowMs), timer.signal);
    const abort = signal === undefined ? [] : [whenAborted(signal, timer.signal)];
    try {
      await Promise.race([...this.#running.values(), wake, ...abort]);
    } finally {
      timer.abort();
      await Promise.allSettled([wake, ...abort]);
    }
  }

  /** All is verified: answers under way may come to their ends, and are recorded in any case. */
  async #finish(): Promise<void> {
    const givers = [...this.#running.keys()].filter(({ cancellation }) => cancellation === undefined);
    while (givers.length > 0 && givers.every((query) => this.#running.has(query))) {
      this.#context.signal?.throwIfAborted();
      await this.#untilSomethingHappens(undefined);
    }
    const untilMs = performance.now() + answerTailMs;
    while (this.#running.size > 0 && performance.now() < untilMs) await this.#untilSomethingHappens(untilMs);
    for (const query of this.#running.keys()) query.cancel("not needed");
    await Promise.all(this.#running.values());
  }
}

function whenAborted(signal: AbortSignal, unless: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => resolve();
    if (signal.aborted) settle();
    signal.addEventListener("abort", settle, { once: true, signal: unless });
    unless.addEventListener("abort", settle, { once: true });
  });
}
