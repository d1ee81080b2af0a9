/**
 * Asks validators for the gossip of one cycle until a quorum is certain. Any node may leave messages out of its
 * response, but cannot forge them: several are asked, and first those whose own vote is still missing.
 */

import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { decideRetry } from "../errors/retry.ts";
import type { RunLog } from "../events/run-log.ts";
import { readGossipResponse } from "../fetch/gossip-response.ts";
import { type HedgedRequest, HedgedRequests, type HedgedWork } from "../fetch/hedged-requests.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import { IdleClock } from "../fetch/idle-clock.ts";
import {
  gossipAttemptsMax,
  gossipBytesPerSecondMin,
  gossipCheckMs,
  gossipGraceMs,
  gossipHedgeFactor,
  gossipHedgeMaxMs,
  gossipHedgeMinMs,
  gossipKnownBytesFactor,
  gossipLateVotesMs,
  gossipPauseMs,
  gossipRequestsAtOnce,
  gossipRequestsMax,
  gossipStragglersMs,
  gossipTimeMaxMs,
} from "../limits/limits.ts";
import { type ActiveNode, nodeUrl } from "../protocol/node.ts";
import { GLOBAL_PARTITION } from "../protocol/shard.ts";
import type { GossipBlame } from "./attribution.ts";
import { GossipResponse } from "./response-progress.ts";
import type { VoteCollection } from "./vote-collection.ts";
import { isAgreed, type Quorum } from "./vote-tally.ts";

export interface InquiryContext {
  readonly client: HttpClient;
  /** In the order in which they are asked. */
  readonly nodes: readonly ActiveNode[];
  readonly quorum: Quorum;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

const bounds = {
  placesMax: gossipRequestsAtOnce,
  requestsMax: gossipRequestsMax,
  patienceMaxMs: gossipHedgeMaxMs,
  patienceMinMs: gossipHedgeMinMs,
  patienceFactor: gossipHedgeFactor,
  bytesPerSecondMin: gossipBytesPerSecondMin,
  checkMs: gossipCheckMs,
};

interface Retry {
  readonly node: ActiveNode;
  readonly afterMs: number;
}

export class GossipInquiry implements HedgedWork {
  readonly #context: InquiryContext;
  readonly #box: VoteCollection;
  readonly #blame: GossipBlame;
  readonly #clock = new IdleClock();
  readonly #endMs = performance.now() + gossipTimeMaxMs;
  #unasked: ActiveNode[];
  readonly #retries: Retry[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #failures = new Map<string, FetchError | ResponseError>();
  /** Partitions of which more votes could change what is agreed; −1 last, since all nodes vote on it. */
  readonly #open: Set<number>;
  /** Partitions without a quorum. */
  readonly #withoutQuorum: Set<number>;
  #settledMs: number | undefined;

  constructor(box: VoteCollection, blame: GossipBlame, context: InquiryContext) {
    this.#context = context;
    this.#box = box;
    this.#blame = blame;
    this.#unasked = [...context.nodes];
    const partitions = [...Array(box.shard.numNodes).keys(), GLOBAL_PARTITION];
    this.#open = new Set(partitions);
    this.#withoutQuorum = new Set(partitions);
  }

  /** Node ID → why it could not be heard. */
  get failures(): ReadonlyMap<string, FetchError | ResponseError> {
    return this.#failures;
  }

  async run(): Promise<void> {
    this.#settle();
    await new HedgedRequests(this, bounds, this.#clock.nowMs).run();
    this.#context.signal?.throwIfAborted();
  }

  isOver(): boolean {
    const nowMs = performance.now();
    if (this.#settledMs !== undefined) return nowMs - this.#settledMs > gossipGraceMs;
    return nowMs > this.#endMs || this.#context.signal?.aborted === true;
  }

  /** Nobody else is asked once all is settled: those who are asked already may still tell who dissents. */
  hasMore(): boolean {
    return this.#settledMs === undefined && this.#unasked.length + this.#retries.length > 0;
  }

  next(): { node: ActiveNode; isFirst: boolean } | undefined {
    if (!this.hasMore()) return undefined;
    if (this.#unasked.length > 0) {
      const missing = this.#unasked.findIndex(({ id }) => !this.#box.hasVoteOf(id));
      const [node] = this.#unasked.splice(Math.max(missing, 0), 1);
      return node && { node, isFirst: true };
    }
    const nowMs = performance.now();
    const due = this.#retries.findIndex(({ afterMs }) => afterMs <= nowMs);
    if (due < 0) return undefined;
    const [retry] = this.#retries.splice(due, 1);
    return retry && { node: retry.node, isFirst: false };
  }

  stragglersMs(): number {
    const quorum = this.#context.quorum;
    const lacks = this.#firstLeft(this.#withoutQuorum, (partition) => {
      const agreement = this.#box.tally.agreement(partition);
      return agreement !== undefined && isAgreed(agreement, quorum);
    });
    return lacks === undefined ? gossipLateVotesMs : gossipStragglersMs;
  }

  async ask(node: ActiveNode, request: HedgedRequest): Promise<void> {
    const { client, log, signal } = this.#context;
    const url = nodeUrl(node, `/partition-gossip?cycle=${this.#box.shard.cycleNumber}`);
    const ending = signal === undefined ? request.signal : AbortSignal.any([request.signal, signal]);
    this.#attempts.set(node.id, (this.#attempts.get(node.id) ?? 0) + 1);
    this.#failures.delete(node.id);
    try {
      const deadlineMs = Math.max(1, this.#endMs - performance.now());
      const response = new GossipResponse(request, this.#clock);
      const chunks = this.#clock.watched(
        client.stream({ url, signal: ending, deadlineMs }),
        response.hadVotes,
      );
      const { receivedBytesMax } = this.#box.validators;
      await readGossipResponse(chunks, (text) => this.#take(text, node, response), receivedBytesMax);
    } catch (error) {
      if (error instanceof ResponseError) this.#failed(node, error, isPassing(error));
      else if (!(error instanceof FetchError)) throw error;
      else if (request.isEvicted) this.#failed(node, tooSlow(), true);
      else if (error.kind !== "aborted") this.#failed(node, error, isPassing(error));
      if (!(error instanceof ResponseError) || error.kind === "too-large") return;
      log.offence({
        node: node.id,
        kind: "invalid-gossip",
        detail: `its answer to ${url}: ${error.message}`,
      });
    }
  }

  /** Returns whether the message is one that an honest node would pass on. */
  #take(text: string, from: ActiveNode, response: GossipResponse): boolean {
    this.#blame.heardFrom(from.id);
    const admission = this.#box.admit(text);
    switch (admission.kind) {
      case "new":
        response.brought(admission.vote.hash, text.length);
        this.#settle();
        return true;
      case "duplicate":
        response.brought(admission.vote.hash, text.length / gossipKnownBytesFactor);
        return true;
      case "equivocation":
        this.#blame.equivocated(admission.vote, from.id);
        return true;
      case "rejected":
        return this.#blame.rejected(admission, text, from.id);
    }
  }

  #failed(node: ActiveNode, error: FetchError | ResponseError, isPassing: boolean): void {
    this.#failures.set(node.id, error);
    const mayRetry = isPassing && !this.#blame.isSuspect(node.id);
    if (!mayRetry || (this.#attempts.get(node.id) ?? 0) >= gossipAttemptsMax) return;
    this.#retries.push({ node, afterMs: performance.now() + gossipPauseMs });
  }

  /** Notes when no vote that is missing can change what is agreed: neither a majority nor, for `popular`, the winner. */
  #settle(): void {
    if (this.#settledMs !== undefined) return;
    const { tally } = this.#box;
    const open = this.#firstLeft(this.#open, (partition) => {
      const agreement = tally.agreement(partition);
      if (agreement === undefined || !isAgreed(agreement, this.#context.quorum)) return false;
      return this.#context.quorum === "majority" || tally.isDecided(partition);
    });
    const isHeardOut = this.#box.size === this.#context.nodes.length;
    if (open === undefined || isHeardOut) this.#settledMs = performance.now();
  }

  /** Crosses off, in order, what is done for good, up to the first that is not: that one is returned. */
  #firstLeft(partitions: Set<number>, isDone: (partition: number) => boolean): number | undefined {
    for (const partition of partitions) {
      if (!isDone(partition)) return partition;
      partitions.delete(partition);
    }
    return undefined;
  }
}

function isPassing(error: FetchError | ResponseError): boolean {
  return error instanceof ResponseError ? error.kind === "truncated" : decideRetry(error, 1, 0).retry;
}

function tooSlow(): FetchError {
  return new FetchError("stalled", "too slow, while others had not been asked");
}
