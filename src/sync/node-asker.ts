/** Has one node give what its query says, request by request, and judges what came of each. */

import {
  type MatchedPartition,
  type ResponseReport,
  type ResponseTarget,
  receiveResponse,
} from "../artifact/receive-response.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { isDiskFull, SnapshotError } from "../errors/snapshot-error.ts";
import { decideRetry, type RetryDecision } from "../fetch/retry.ts";
import { nodeUrl } from "../protocol/node.ts";
import { storedCount, stores } from "../protocol/shard.ts";
import { ByteBudgetOfResponses } from "./byte-budget.ts";
import type { FetchContext } from "./fetch-context.ts";
import { type NarrowedRequest, narrowedRequests } from "./narrowed-requests.ts";
import type { NodeQuery } from "./node-query.ts";
import type { PartitionTasks } from "./partition-tasks.ts";
import { TOO_EARLY } from "./peer-pool.ts";
import { offencesOf, outcomeOf } from "./response-classification.ts";
import type { Throughput } from "./throughput.ts";
import type { WakefulClock } from "./wakeful-clock.ts";

export interface AskerContext extends FetchContext {
  readonly claims: PartitionTasks;
  readonly speeds: Throughput;
  readonly clock: WakefulClock;
  /** Whether a partition is agreed to have no accounts. */
  readonly isEmpty: (partition: number) => boolean;
}

/** What is noted of one answer while it comes. */
interface AnswerNotes {
  readonly requested: ReadonlySet<number>;
  readonly verified: number[];
  /** Partitions that something of was written down. */
  readonly begun: Set<number>;
}

export class NodeAsker {
  readonly #context: AskerContext;
  readonly #sizes: ByteBudgetOfResponses;
  #answers = 0;

  constructor(context: AskerContext) {
    this.#context = context;
    this.#sizes = new ByteBudgetOfResponses(context.book, context.freeBytes);
  }

  /**
   * Begins again with what the disk had no room for, now that nothing else is under way.
   *
   * @returns whether there is anything to begin again with
   */
  tryLastShare(missing: ReadonlySet<number>): boolean {
    const { book } = this.#context;
    if (![...missing].some((partition) => book.isRefused(partition, "no-space"))) return false;
    this.#sizes.allowLastShare();
    book.forgive("no-space");
    return true;
  }

  /** Asks until the node has given, or failed to give, all that it was to give, or the query is cancelled. */
  async ask(query: NodeQuery, stop: AbortSignal): Promise<void> {
    const { shard, timestamp, book, isEmpty } = this.#context;
    while (query.cancellation === undefined) {
      const open = query.partitions.filter((partition) => this.#isOpenFor(query, partition));
      const [next] = narrowedRequests(shard, query.nodeIndex, open, timestamp, isEmpty);
      if (next === undefined) break;
      const isDone = await this.#request(query, next, stop);
      if (!isDone) return;
    }
    book.answered(query.nodeIndex);
  }

  #isOpenFor({ nodeIndex }: NodeQuery, partition: number): boolean {
    return this.#context.claims.isWanted(partition) && this.#context.book.mayGive(nodeIndex, partition);
  }

  /** One request. Answers whether the node may be asked for more at once. */
  async #request(
    query: NodeQuery,
    { request, partitions }: NarrowedRequest,
    stop: AbortSignal,
  ): Promise<boolean> {
    const { client, shard, book, log, signal } = this.#context;
    const node = book.node(query.nodeIndex);
    const { id } = node;
    const requested = new Set(partitions);
    const verified: number[] = [];
    let bytes = 0;
    const startedMs = performance.now();
    log.asked(id);
    const watch = query.ask(requested, () => this.#context.clock.nowMs);
    const chunks = client.streamInPlace({
      url: nodeUrl(node, "/snapshot"),
      body: request,
      signal: AbortSignal.any([stop, query.signal]),
      onBytes: (count) => {
        bytes += count;
        log.received(count);
      },
    });
    const answer = this.#answers++;
    const begun = new Set<number>();
    const report = await receiveResponse(
      this.#sizes.bounded(watch.watched(chunks), storedCount(shard) + 1),
      this.#target(query, answer, { requested, verified, begun }),
    )
      .catch((error: unknown) => requireDiskFull(error))
      .finally(() => this.#sizes.ended(answer));
    signal?.throwIfAborted();
    stop.throwIfAborted();
    const durationMs = Math.round(performance.now() - startedMs);
    if (report instanceof SnapshotError) {
      log.query({ node: id, partitions, verified, bytes, outcome: "disk full", durationMs });
      for (const partition of begun)
        if (!verified.includes(partition))
          book.refuse(query.nodeIndex, partition, "no-space", report.message);
      return true;
    }
    requireNodesFault(report.error);
    const ended = endedByUs(query, report);
    log.query({ node: id, partitions, verified, bytes, outcome: ended ?? outcomeOf(report), durationMs });
    for (const offence of offencesOf(id, report)) log.offence(offence);
    this.#learn(query.nodeIndex, report);
    // Without an answer, only the time until we gave up on it is known: it is slower than that.
    if (report.isComplete || ended === "overtaken") this.#context.speeds.note(query.nodeIndex, watch.soFar);
    if (verified.length > 0) book.succeeded(query.nodeIndex);
    if (ended !== undefined) return true;
    if (!report.isComplete) this.#fail(query.nodeIndex, report, requested);
    return report.isComplete;
  }

  /** What an answer says of what its node can be asked for. */
  #learn(nodeIndex: number, report: ResponseReport): void {
    const { book, onWrong } = this.#context;
    for (const wrong of report.wrong) {
      const { partition, expected, got } = wrong;
      onWrong?.(book.node(nodeIndex).id, wrong);
      book.refuse(nodeIndex, partition, "wrong", `gave a partition with hash ${got}, expected ${expected}`);
    }
    for (const { partition, bytes } of report.outgrown) this.#sizes.refuse(nodeIndex, partition, bytes);
  }

  #target(query: NodeQuery, answer: number, { requested, verified, begun }: AnswerNotes): ResponseTarget {
    const { shard, hashKey, agreedHashes, claims, incomingPath } = this.#context;
    const { nodeIndex } = query;
    return {
      shard,
      hashKey,
      requested,
      stores: (partition) => stores(shard, nodeIndex, partition),
      claim: (partition) =>
        this.#isOpenFor(query, partition) && claims.claim(partition, query)
          ? agreedHashes.get(partition)
          : undefined,
      pathOf: (partition) => {
        begun.add(partition);
        return incomingPath(answer, partition);
      },
      take: async (matched) => {
        if (await this.#take(query, matched)) verified.push(matched.partition);
      },
      mayHold: (bytes, partition) => this.#sizes.mayHold(answer, nodeIndex, partition, bytes),
    };
  }

  /** Takes a partition over, from the first who has it right; answers whether this was the first. */
  async #take(query: NodeQuery, { partition, accounts, bytes, path }: MatchedPartition): Promise<boolean> {
    const { accept, discard, book, claims, log } = this.#context;
    if (!claims.settle(partition)) {
      await discard(path);
      return false;
    }
    try {
      await accept(partition, path);
    } catch (error) {
      claims.unsettle(partition);
      throw error;
    }
    const others = claims.verified(partition, query);
    log.verified(partition, { accounts, bytes }, book.node(query.nodeIndex).id);
    for (const offence of this.#sizes.confirmed(partition, bytes)) log.offence(offence);
    query.verified++;
    for (const other of others) other.overtaken(claims.heldBy(other));
    return true;
  }

  #fail(nodeIndex: number, report: ResponseReport, requested: ReadonlySet<number>): void {
    const { book } = this.#context;
    const error = report.error as FetchError | ResponseError;
    const status = error instanceof FetchError ? error.status : undefined;
    const decision = this.#decide(nodeIndex, report, requested, book.failures(nodeIndex) + 1);
    book.failed(nodeIndex, error.message, status, decision, performance.now());
  }

  #decide(
    nodeIndex: number,
    report: ResponseReport,
    requested: ReadonlySet<number>,
    failures: number,
  ): RetryDecision {
    const { error, lastPartition } = report;
    if (error instanceof FetchError) {
      const isExporting = error.status === TOO_EARLY;
      if (isExporting && !this.#context.waitsForExports()) return { retry: false };
      return decideRetry(error, failures, Math.random());
    }
    const again = decideRetry(new FetchError("reset", "broken off"), failures, Math.random());
    if (!(error instanceof ResponseError) || error.kind === "truncated") return again;
    if (error.kind === "over-budget") {
      // A long answer of which nothing was kept must not come again at once either.
      if (report.outgrown.length === 0)
        for (const partition of requested) this.#sizes.refuse(nodeIndex, partition, 0);
      return again;
    }
    // What it cannot send now, it cannot send later; but its other partitions may be fine.
    const [only] = requested.size === 1 ? requested : [];
    const broken = lastPartition !== undefined && requested.has(lastPartition) ? lastPartition : only;
    if (broken === undefined) return { retry: false };
    if (this.#context.book.mayGive(nodeIndex, broken))
      this.#context.book.refuse(nodeIndex, broken, "broken", error.message);
    return again;
  }
}

/** Why we ended an answer that would have gone on; `undefined` where it ended by itself. */
function endedByUs(query: NodeQuery, { error }: ResponseReport) {
  return error instanceof FetchError && error.kind === "aborted" ? query.cancellation : undefined;
}

/** A full disk is no end of the run while others may send less. */
function requireDiskFull(error: unknown): SnapshotError {
  if (error instanceof SnapshotError && isDiskFull(error)) return error;
  throw error;
}

/** Whatever the node cannot be blamed for is a defect of ours. */
function requireNodesFault(error: unknown): void {
  if (error === undefined || error instanceof ResponseError || error instanceof FetchError) return;
  throw error;
}
