/**
 * Requests the gossip of one cycle from validators until a quorum is certain. Any node may omit messages from its
 * response, but cannot forge them. So several nodes are queried, first those whose own vote is missing.
 */

import type { RunLog } from "../../events/run-log.ts";
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
} from "../../limits/gossip.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { faultOf } from "../faults/fault.ts";
import type { RelayFaults } from "../faults/relay-faults.ts";
import type { VoteCollection } from "../vote-collection.ts";
import type { Quorum } from "../vote-tally.ts";
import {
  GossipError,
  type GossipSource,
  isInvalidResponse,
  isTemporary,
  takeMessages,
} from "./gossip-source.ts";
import type { HedgedRequest } from "./hedged-request.ts";
import { HedgedRequests, type HedgedWork } from "./hedged-requests.ts";
import { IdleClock } from "./idle-clock.ts";
import { NodeQueue } from "./node-queue.ts";
import { QuorumProgress } from "./quorum-progress.ts";
import { ResponseProgress } from "./response-progress.ts";

export interface VoteRequestContext {
  readonly source: GossipSource;
  /** In the order of their requests. */
  readonly nodes: readonly ActiveNode[];
  readonly quorum: Quorum;
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

const bounds = {
  slotsMax: gossipRequestsAtOnce,
  requestsMax: gossipRequestsMax,
  hedgeMaxMs: gossipHedgeMaxMs,
  hedgeMinMs: gossipHedgeMinMs,
  hedgeFactor: gossipHedgeFactor,
  bytesPerSecondMin: gossipBytesPerSecondMin,
  checkMs: gossipCheckMs,
};

export class VoteRequests implements HedgedWork {
  readonly #context: VoteRequestContext;
  readonly #votes: VoteCollection;
  readonly #faults: RelayFaults;
  readonly #clock = new IdleClock();
  readonly #endMs = performance.now() + gossipTimeMaxMs;
  readonly #queue: NodeQueue;
  readonly #failures = new Map<string, GossipError>();
  readonly #progress: QuorumProgress;
  #decidedMs: number | undefined;

  constructor(votes: VoteCollection, faults: RelayFaults, context: VoteRequestContext) {
    this.#context = context;
    this.#votes = votes;
    this.#faults = faults;
    this.#queue = new NodeQueue(context.nodes, { attemptsMax: gossipAttemptsMax, pauseMs: gossipPauseMs });
    this.#progress = new QuorumProgress(votes, context.quorum);
  }

  /** Node ID → why its last request failed. */
  get failures(): ReadonlyMap<string, GossipError> {
    return this.#failures;
  }

  async run(): Promise<void> {
    this.#checkDecided();
    await new HedgedRequests(this, bounds, this.#clock.nowMs).run();
    this.#context.signal?.throwIfAborted();
  }

  isOver(): boolean {
    const nowMs = performance.now();
    if (this.#decidedMs !== undefined) return nowMs - this.#decidedMs > gossipGraceMs;
    return nowMs > this.#endMs || this.#context.signal?.aborted === true;
  }

  /** Returns false once everything is decided. Requests in flight may still bring dissenting votes. */
  hasMore(): boolean {
    return this.#decidedMs === undefined && this.#queue.size > 0;
  }

  next(): { readonly node: ActiveNode; readonly isFirst: boolean } | undefined {
    if (!this.hasMore()) return undefined;
    return this.#queue.take(({ id }) => !this.#votes.hasVoteOf(id), performance.now());
  }

  stragglersMs(): number {
    return this.#progress.hasQuorum() ? gossipLateVotesMs : gossipStragglersMs;
  }

  async request(node: ActiveNode, request: HedgedRequest): Promise<void> {
    const { source, signal } = this.#context;
    const progress = new ResponseProgress(request, this.#clock);
    this.#failures.delete(node.id);
    try {
      const batches = source.request(node, this.#votes.shard.cycleNumber, {
        signal: signal === undefined ? request.signal : AbortSignal.any([request.signal, signal]),
        deadlineMs: Math.max(1, this.#endMs - performance.now()),
        messageBytesMax: this.#votes.validators.receivedBytesMax,
      });
      const watched = this.#clock.watched(batches, () => progress.takeHadVotes());
      await takeMessages(watched, (message) => this.#take(message, node, progress));
    } catch (error) {
      if (!(error instanceof GossipError)) throw error;
      this.#fail(node, error, request);
    }
  }

  /** Returns whether an honest node would forward the message. */
  #take(message: Buffer, { id }: ActiveNode, progress: ResponseProgress): boolean {
    this.#faults.addRelay(id);
    const admission = this.#votes.admit(message);
    switch (admission.kind) {
      case "new":
        progress.credit(admission.vote.hash, message.length);
        this.#checkDecided();
        break;
      case "duplicate":
        progress.credit(admission.vote.hash, message.length / gossipKnownBytesFactor);
        break;
      case "equivocation":
      case "rejected":
        break;
    }
    const { log } = this.#context;
    const fault = faultOf(admission, {
      relay: id,
      source: id,
      areSettingsProved: log.areSettingsProved,
    });
    switch (fault.kind) {
      case "none":
        return true;
      case "signed":
        log.offence(fault.offence);
        return true;
      case "relayed":
        this.#faults.add(fault, message);
        return false;
    }
  }

  #fail(node: ActiveNode, error: GossipError, request: HedgedRequest): void {
    if (isInvalidResponse(error)) {
      const { cycleNumber } = this.#votes.shard;
      const detail = `its response to the request for gossip of cycle ${cycleNumber}: ${error.message}`;
      this.#context.log.offence({ node: node.id, kind: "invalid-gossip", detail });
    } else if (request.isEvicted && error.kind !== "too-large") {
      this.#failed(node, tooSlow());
      return;
    }
    if (error.kind !== "aborted") this.#failed(node, error);
  }

  #failed(node: ActiveNode, error: GossipError): void {
    this.#failures.set(node.id, error);
    if (isTemporary(error) && !this.#faults.isSuspect(node.id)) this.#queue.retry(node, performance.now());
  }

  #checkDecided(): void {
    if (this.#decidedMs === undefined && this.#progress.isDecided()) this.#decidedMs = performance.now();
  }
}

function tooSlow(): GossipError {
  return new GossipError("temporary", "too slow, while other nodes were still to be queried");
}
