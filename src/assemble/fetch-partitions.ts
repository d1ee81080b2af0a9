/**
 * The loop that has all missing partitions fetched: which node is asked next for what, what becomes of its
 * answer, and when there is nobody left to ask.
 */

import pLimit from "p-limit";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import { decideRetry, type RetryDecision } from "../fetch/retry.ts";
import { sleep } from "../fetch/sleep.ts";
import { AnswerError } from "../merge/answer-error.ts";
import {
  type AnswerTarget,
  type MatchedPartition,
  type MergeReport,
  mergeAnswer,
  type WrongPartition,
} from "../merge/merge-answer.ts";
import { hashText } from "../model/hash.ts";
import { bytesPerSecondMin, slownessMax } from "../model/limits.ts";
import { EMPTY_PREIMAGE } from "../model/partition-hash.ts";
import { type Shard, storedPartitions, stores } from "../model/shard.ts";
import { narrowedRequests } from "../plan/narrowed-requests.ts";
import type { PlannedQuery } from "../plan/next-query.ts";
import type { OrderRule } from "../plan/order-rule.ts";
import { exhaustedFailure } from "./exhausted.ts";
import { offencesOf, outcomeOf } from "./judgement.ts";
import type { NodeBook } from "./node-book.ts";
import { QueryPlanner } from "./query-planner.ts";
import type { RunLog } from "./run-log.ts";
import { SizeBudget } from "./size-budget.ts";

export interface FetchContext {
  readonly client: HttpClient;
  readonly shard: Shard;
  readonly timestamp: number;
  readonly hashKey: string;
  readonly agreedHashes: ReadonlyMap<number, string>;
  readonly book: NodeBook;
  readonly order: OrderRule;
  readonly concurrency: number;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
  /** Where a partition of one answer (by number) is written while it comes. */
  readonly incomingPath: (answer: number, partition: number) => string;
  readonly accept: (partition: number, path: string) => Promise<void>;
  /** Told of what a node gave wrongly. */
  readonly onWrong?: ((node: string, wrong: WrongPartition) => void) | undefined;
}

/** Answers below this say nothing about a node's speed. */
const SPEED_SAMPLE_BYTES = 1_000_000;

export class PartitionFetch {
  readonly #context: FetchContext;
  readonly #missing: Set<number>;
  /** Partition → the node that is giving it. */
  readonly #claims = new Map<number, number>();
  readonly #sizes: SizeBudget;
  readonly #planner: QueryPlanner;
  readonly #isEmpty: (partition: number) => boolean;
  /** Whether copies may be cut from the bytes of answers; and the nodes whose answers are parsed anyway. */
  #isQuick = true;
  readonly #parsed = new Set<number>();
  #answers = 0;
  /** Bytes a second, of the fastest answer so far. */
  #fastest = 0;

  constructor(missing: Iterable<number>, context: FetchContext) {
    this.#missing = new Set(missing);
    this.#context = context;
    this.#sizes = new SizeBudget(context.book);
    const emptyHash = hashText(EMPTY_PREIMAGE, context.hashKey);
    this.#isEmpty = (partition) => context.agreedHashes.get(partition) === emptyHash;
    this.#planner = new QueryPlanner({ ...context, rule: context.order, isEmpty: this.#isEmpty });
  }

  /** @throws Failure `incomplete`, `verification`, `temporary` or `disk` */
  async run(): Promise<void> {
    const { concurrency, signal, book } = this.#context;
    const limit = pLimit(concurrency);
    const stop = new AbortController();
    const active = new Set<Promise<void>>();
    const start = (query: PlannedQuery) => {
      this.#begin(query);
      const running = limit(() => this.#query(query, stop.signal)).finally(() => active.delete(running));
      active.add(running);
    };
    try {
      while (this.#missing.size > 0) {
        signal?.throwIfAborted();
        let query = active.size < concurrency ? this.#next() : undefined;
        while (query !== undefined) {
          start(query);
          query = active.size < concurrency ? this.#next() : undefined;
        }
        const wakeMs = active.size < concurrency ? book.nextMs(this.#unclaimed()) : undefined;
        if (active.size === 0 && wakeMs === undefined) throw exhaustedFailure(this.#missing, book);
        await this.#waitFor(active, wakeMs);
      }
    } finally {
      stop.abort();
      await Promise.allSettled(active);
    }
  }

  async #waitFor(active: ReadonlySet<Promise<void>>, wakeMs: number | undefined): Promise<void> {
    const timer = new AbortController();
    const wake = wakeMs === undefined ? [] : [sleep(Math.max(0, wakeMs - performance.now()), timer.signal)];
    const abort = this.#context.signal === undefined ? [] : [whenAborted(this.#context.signal, timer.signal)];
    try {
      await Promise.race([...active, ...wake, ...abort]);
    } finally {
      timer.abort();
      await Promise.allSettled([...wake, ...abort]);
    }
  }

  #unclaimed(): Set<number> {
    return new Set([...this.#missing].filter((partition) => !this.#claims.has(partition)));
  }

  #next(): PlannedQuery | undefined {
    return this.#planner.next(this.#unclaimed(), performance.now());
  }

  #begin({ nodeIndex, partitions }: PlannedQuery): void {
    this.#context.book.asked(nodeIndex);
    for (const partition of partitions) this.#claims.set(partition, nodeIndex);
  }

  /** Asks one node until it has given, or failed to give, all that it was to give. */
  async #query({ nodeIndex, partitions }: PlannedQuery, stop: AbortSignal): Promise<void> {
    const { shard, timestamp, book } = this.#context;
    try {
      for (;;) {
        const open = partitions.filter((partition) => this.#isOpenFor(nodeIndex, partition));
        const [next] = narrowedRequests(shard, nodeIndex, open, timestamp, this.#isEmpty);
        if (open.length === 0 || next === undefined) break;
        const isDone = await this.#ask(nodeIndex, next.request, new Set(next.partitions), stop);
        if (!isDone) return;
      }
      book.answered(nodeIndex);
    } finally {
      for (const [partition, claimant] of this.#claims) {
        if (claimant === nodeIndex) this.#claims.delete(partition);
      }
    }
  }

  #isOpenFor(nodeIndex: number, partition: number): boolean {
    return this.#missing.has(partition) && this.#context.book.mayGive(nodeIndex, partition);
  }

  /** One request. Answers whether its answer came to an end, so that the next can follow. */
  async #ask(
    nodeIndex: number,
    body: object,
    requested: ReadonlySet<number>,
    stop: AbortSignal,
  ): Promise<boolean> {
    const { client, shard, book, log, signal } = this.#context;
    const { id, url } = book.node(nodeIndex);
    const verified: number[] = [];
    let bytes = 0;
    const startedMs = performance.now();
    const onBytes = (count: number) => {
      bytes += count;
      log.received(count);
    };
    const bytesPerSecondFloor = () => this.#slowest(nodeIndex);
    const chunks = client.stream({
      url: `${url}/snapshot`,
      body,
      signal: stop,
      onBytes,
      bytesPerSecondMin: bytesPerSecondFloor,
    });
    const report = await mergeAnswer(
      this.#sizes.bounded(chunks, storedPartitions(shard, nodeIndex).length + 1),
      this.#target(nodeIndex, requested, verified),
    );
    signal?.throwIfAborted();
    stop.throwIfAborted();
    requireNodesFault(report.error);
    const durationMs = Math.round(performance.now() - startedMs);
    log.query({
      node: id,
      partitions: [...requested],
      verified,
      bytes,
      outcome: outcomeOf(report),
      durationMs,
    });
    for (const offence of offencesOf(id, report)) log.offence(offence);
    if (report.isUncanonical) this.#isQuick = false;
    for (const wrong of report.wrong) {
      const { partition, expected, got, isCertain } = wrong;
      // Perhaps only our short cut was wrong: it is asked again, and parsed.
      if (!isCertain) {
        this.#parsed.add(nodeIndex);
        continue;
      }
      this.#context.onWrong?.(id, wrong);
      book.refuse(nodeIndex, partition, "wrong", `gave a partition with hash ${got}, expected ${expected}`);
    }
    for (const { partition, bytes: size } of report.outgrown) {
      this.#sizes.refuse(nodeIndex, partition, size);
    }
    this.#noteSpeed(bytes, durationMs);
    if (verified.length > 0) book.succeeded(nodeIndex);
    if (!report.isComplete) this.#fail(nodeIndex, report, requested);
    return report.isComplete;
  }

  #target(nodeIndex: number, requested: ReadonlySet<number>, verified: number[]): AnswerTarget {
    const { shard, hashKey, agreedHashes, book, incomingPath } = this.#context;
    const answer = this.#answers++;
    return {
      shard,
      hashKey,
      requested,
      isQuick: this.#isQuick && !this.#parsed.has(nodeIndex),
      stores: (partition) => stores(shard, nodeIndex, partition),
      claim: (partition) => {
        const claimant = this.#claims.get(partition) ?? nodeIndex;
        if (claimant !== nodeIndex || !this.#isOpenFor(nodeIndex, partition)) return undefined;
        this.#claims.set(partition, nodeIndex);
        return agreedHashes.get(partition);
      },
      pathOf: (partition) => incomingPath(answer, partition),
      take: async (matched) => {
        await this.#take(matched, book.node(nodeIndex).id);
        verified.push(matched.partition);
      },
      mayGrowTo: (partition, bytes) => this.#sizes.mayGrow(nodeIndex, partition, bytes),
    };
  }

  #noteSpeed(bytes: number, durationMs: number): void {
    if (bytes >= SPEED_SAMPLE_BYTES) this.#fastest = Math.max(this.#fastest, (bytes / durationMs) * 1000);
  }

  /** How slow a node may be: slower where nobody else could give what it is to give. */
  #slowest(nodeIndex: number): number {
    const claimed = [...this.#claims].filter(([, claimant]) => claimant === nodeIndex);
    const isReplaceable = claimed.every(([partition]) => this.#context.book.hasOther(nodeIndex, partition));
    return isReplaceable ? Math.max(bytesPerSecondMin, this.#fastest / slownessMax) : bytesPerSecondMin;
  }

  async #take({ partition, accounts, bytes, path }: MatchedPartition, source: string): Promise<void> {
    const { accept, log } = this.#context;
    await accept(partition, path);
    this.#missing.delete(partition);
    log.verified(partition, { accounts, bytes }, source);
    for (const offence of this.#sizes.offencesFor(partition, bytes)) log.offence(offence);
  }

  #fail(nodeIndex: number, report: MergeReport, requested: ReadonlySet<number>): void {
    const { book } = this.#context;
    const error = report.error as FetchFailure | AnswerError;
    const failures = book.failures(nodeIndex) + 1;
    const status = error instanceof FetchFailure ? error.status : undefined;
    book.failed(
      nodeIndex,
      error.message,
      status,
      this.#decide(nodeIndex, report, requested, failures),
      performance.now(),
    );
  }

  #decide(
    nodeIndex: number,
    report: MergeReport,
    requested: ReadonlySet<number>,
    failures: number,
  ): RetryDecision {
    const { error, lastPartition } = report;
    if (error instanceof FetchFailure) return decideRetry(error, failures, Math.random());
    const again = decideRetry(new FetchFailure("reset", "broken off"), failures, Math.random());
    if (!(error instanceof AnswerError) || error.kind === "truncated") return again;
    // What it cannot send now, it cannot send later; but its other partitions may be fine.
    const [only] = requested.size === 1 ? requested : [];
    const broken = lastPartition !== undefined && requested.has(lastPartition) ? lastPartition : only;
    if (broken === undefined) return { retry: false };
    if (this.#context.book.mayGive(nodeIndex, broken))
      this.#context.book.refuse(nodeIndex, broken, "broken", error.message);
    return again;
  }
}

/** Whatever the node cannot be blamed for is a defect of ours. */
function requireNodesFault(error: unknown): void {
  if (error === undefined || error instanceof AnswerError || error instanceof FetchFailure) return;
  throw error;
}

function whenAborted(signal: AbortSignal, unless: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => resolve();
    if (signal.aborted) settle();
    signal.addEventListener("abort", settle, { once: true, signal: unless });
    unless.addEventListener("abort", settle, { once: true });
  });
}
