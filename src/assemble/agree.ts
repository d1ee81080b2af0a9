/**
 * Finds out what the validators agree on (PROTOCOL.md, Partition gossip). Any node may leave messages out
 * of its answer, but cannot forge them: several are asked, and then those whose own vote is still missing.
 */

import pLimit from "p-limit";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import { decideRetry } from "../fetch/retry.ts";
import { sleep } from "../fetch/sleep.ts";
import { type Agreement, isAgreed, type Quorum } from "../gossip/collector.ts";
import { AnswerError } from "../merge/answer-error.ts";
import { Failure } from "../model/failure.ts";
import { hashText } from "../model/hash.ts";
import {
  gossipGraceMs,
  gossipNodesPerRound,
  gossipPassesMax,
  gossipPauseMs,
  gossipTimeMaxMs,
} from "../model/limits.ts";
import { type ActiveNode, shortId } from "../model/node.ts";
import { EMPTY_PREIMAGE, networkHash } from "../model/partition-hash.ts";
import { allPartitions, type Shard } from "../model/shard.ts";
import { readGossipAnswer } from "../network/gossip-answer.ts";
import { queryOrder } from "../plan/query-order.ts";
import { BallotBox } from "./ballot.ts";
import { blameDissenters, blameInvalid, type ReceivedInvalid } from "./gossip-blame.ts";
import type { RunLog } from "./run-log.ts";

export interface AgreementContext {
  readonly client: HttpClient;
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  readonly hashKey: string;
  readonly quorum: Quorum;
  readonly allowEmpty: boolean;
  /** Messages from elsewhere, as texts, and where that is. */
  readonly given: readonly { readonly messages: Iterable<string>; readonly source: string }[];
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

export interface AgreedHashes {
  readonly agreements: ReadonlyMap<number, Agreement>;
  readonly partitionHashes: ReadonlyMap<number, string>;
  readonly networkHash: string;
  readonly box: BallotBox;
}

/** Too few have voted on that cycle so far. */
export interface NotYet {
  readonly notYet: Failure;
}

/**
 * The agreed hash of every partition of a cycle.
 *
 * @throws Failure `no-agreement`, where those who voted contradict each other
 */
export async function findAgreedHashes(
  cycle: number,
  context: AgreementContext,
): Promise<AgreedHashes | NotYet> {
  const canvass = new Canvass(cycle, context);
  await canvass.run();
  return canvass.result();
}

/** The cycle is not finalized yet (PROTOCOL.md, Partial snapshots). */
const TOO_EARLY = 425;

class Canvass {
  readonly #cycle: number;
  readonly #context: AgreementContext;
  readonly #box: BallotBox;
  /** Nodes that have not been asked, or may be asked again, in the order of Algorithm 1. */
  #unasked: ActiveNode[];
  readonly #failures = new Map<string, FetchFailure | AnswerError>();
  readonly #invalid: ReceivedInvalid[] = [];
  /** Ends what is still under way once it is not needed any more. */
  readonly #enough = new AbortController();
  readonly #endMs = performance.now() + gossipTimeMaxMs;

  constructor(cycle: number, context: AgreementContext) {
    const { nodes, shard, hashKey } = context;
    this.#cycle = cycle;
    this.#context = context;
    const cycleShard = { ...shard, cycleNumber: cycle, nodeIds: nodes.map((node) => node.id) };
    this.#box = new BallotBox(cycleShard, nodes, hashKey);
    this.#unasked = this.#inOrder();
  }

  async run(): Promise<void> {
    const { given, log } = this.#context;
    for (const { messages, source } of given) {
      const useless: string[] = [];
      for (const text of messages) {
        const ballot = this.#box.cast(text, source);
        if (ballot.outcome === "invalid") useless.push(ballot.problem);
        if (ballot.outcome === "stranger" || ballot.outcome === "other-cycle") useless.push(ballot.outcome);
        if (ballot.outcome === "equivocation") this.#accuse(ballot.sender, source);
      }
      if (useless.length > 0) {
        log.warn(
          `${source}: ${useless.length} messages do not count for cycle ${this.#cycle}: ${firstFew(useless)}`,
        );
      }
    }
    for (let pass = 1; pass <= gossipPassesMax && !this.#isOver(); pass++) {
      if (pass > 1) await this.#reopen();
      while (this.#unasked.length > 0 && !this.#isOver()) await this.#round();
    }
  }

  result(): AgreedHashes | NotYet {
    const { quorum, shard, hashKey, log } = this.#context;
    const { collector } = this.#box;
    blameInvalid(this.#invalid, collector, log);
    if (collector.messages.size === 0) {
      return { notYet: this.#isTooEarly() ? notFinalized(this.#cycle) : this.#nothingHeard() };
    }
    const agreements = new Map<number, Agreement>();
    const open: string[] = [];
    let isContested = false;
    for (const partition of allPartitions(shard)) {
      const agreement = collector.agreement(partition);
      if (agreement !== undefined) agreements.set(partition, agreement);
      if (agreement !== undefined && isAgreed(agreement, quorum)) continue;
      open.push(describeVotes(partition, agreement));
      isContested ||= agreement !== undefined && isContestedFor(agreement);
    }
    // Where those who have voted contradict each other, waiting will not help.
    if (isContested) throw this.#noAgreement(open);
    if (open.length > 0) return { notYet: this.#noAgreement(open) };
    const partitionHashes = new Map([...agreements].map(([partition, { hash }]) => [partition, hash]));
    blameDissenters(collector, partitionHashes, log);
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    const isEmpty = [...partitionHashes.values()].every((hash) => hash === empty);
    if (isEmpty && !this.#context.allowEmpty) throw keepsNoCopies(this.#cycle);
    log.networkHash = networkHash(partitionHashes, hashKey);
    return { agreements, partitionHashes, networkHash: log.networkHash, box: this.#box };
  }

  #inOrder(): ActiveNode[] {
    const { nodes } = this.#context;
    return queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
  }

  #isOver(): boolean {
    return this.#isSettled() || performance.now() > this.#endMs;
  }

  /** A majority cannot change any more; how popular something is, only all messages tell. */
  #isSettled(): boolean {
    const { quorum, shard, nodes } = this.#context;
    const { collector } = this.#box;
    if (quorum === "popular") return collector.messages.size === nodes.length;
    return allPartitions(shard).every((partition) => {
      const agreement = collector.agreement(partition);
      return agreement !== undefined && isAgreed(agreement, quorum);
    });
  }

  /** Asks the next nodes: from the second round on, those first whose own message is missing. */
  async #round(): Promise<void> {
    const { messages } = this.#box.collector;
    const isHeard = (node: ActiveNode) => (messages.has(node.id) ? 1 : 0);
    this.#unasked.sort((a, b) => isHeard(a) - isHeard(b));
    const asked = this.#unasked.splice(0, gossipNodesPerRound);
    const limit = pLimit(gossipNodesPerRound);
    let grace: NodeJS.Timeout | undefined;
    await limit.map(asked, async (node) => {
      await this.#ask(node);
      // The others may still tell who dissents, but nobody can hold us up any more.
      if (this.#isSettled()) grace ??= setTimeout(() => this.#enough.abort(), gossipGraceMs);
    });
    clearTimeout(grace);
  }

  /** Once all were asked, those that only failed for the moment are asked again. */
  async #reopen(): Promise<void> {
    this.#unasked = this.#inOrder().filter(({ id }) => isPassing(this.#failures.get(id)));
    if (this.#unasked.length > 0) await sleep(gossipPauseMs, this.#context.signal);
  }

  async #ask(node: ActiveNode): Promise<void> {
    const { client, log } = this.#context;
    const url = `${node.url}/partition-gossip?cycle=${this.#cycle}`;
    const signal = AbortSignal.any([
      this.#enough.signal,
      ...(this.#context.signal ? [this.#context.signal] : []),
    ]);
    this.#failures.delete(node.id);
    try {
      const deadlineMs = Math.max(1, this.#endMs - performance.now());
      await readGossipAnswer(client.stream({ url, signal, deadlineMs }), (text) => this.#cast(text, node));
    } catch (error) {
      if (error instanceof FetchFailure) {
        if (error.kind !== "aborted") this.#failures.set(node.id, error);
        else this.#context.signal?.throwIfAborted();
      } else if (error instanceof AnswerError) {
        this.#failures.set(node.id, error);
        log.offence({
          node: node.id,
          kind: "invalid-gossip",
          detail: `its answer to ${url}: ${error.message}`,
        });
      } else throw error;
    }
  }

  /** Answers whether the message is one that an honest node would pass on. */
  #cast(text: string, from: ActiveNode): boolean {
    const ballot = this.#box.cast(text, `gossip from ${shortId(from.id)}`);
    switch (ballot.outcome) {
      case "counted":
      case "known":
        return true;
      case "equivocation":
        this.#accuse(ballot.sender, from.id);
        return true;
      case "stranger":
      case "other-cycle":
        return false;
      case "invalid":
        this.#invalid.push({ from: from.id, ballot });
        return false;
    }
  }

  #accuse(sender: string, from: string): void {
    const detail = `two different messages for cycle ${this.#cycle}; the second one came from ${from}`;
    this.#context.log.offence({ node: sender, kind: "equivocation", detail });
  }

  #isTooEarly(): boolean {
    return [...this.#failures.values()].some(
      (failure) => failure instanceof FetchFailure && failure.status === TOO_EARLY,
    );
  }

  #nothingHeard(): Failure {
    const problem = `there is no agreed hash for cycle ${this.#cycle}: no validator that was asked has gossip of it`;
    const hint = "It may be too old, or not finalized yet; --gossip <file> brings messages from elsewhere.";
    return new Failure("no-agreement", problem, { hint: this.#failuresText() || hint });
  }

  #noAgreement(open: readonly string[]): Failure {
    const { messages } = this.#box.collector;
    const heard = `${messages.size} of ${this.#context.nodes.length} nodes were heard`;
    const problem = `no agreed hash for cycle ${this.#cycle} (${heard}): ${firstFew(open)}`;
    const rule =
      this.#context.quorum === "majority"
        ? "More than half of the nodes that cover a partition must vote for one hash."
        : "Half of the nodes that cover a partition must have voted.";
    return new Failure("no-agreement", problem, { hint: `${rule} ${this.#failuresText()}`.trim() });
  }

  #failuresText(): string {
    const failures = [...this.#failures].map(([id, error]) => `${shortId(id)}: ${error.message}`);
    return failures.length === 0 ? "" : `These nodes could not be heard: ${firstFew(failures)}.`;
  }
}

/** Whether even all who have not voted yet could no longer make a majority. */
function isContestedFor({ votesAgainst, outOf }: Agreement): boolean {
  return (outOf - votesAgainst) * 2 <= outOf;
}

function notFinalized(cycle: number): Failure {
  return new Failure("temporary", `cycle ${cycle} is not finalized yet`, { hint: "Try again in a minute." });
}

function isPassing(failure: FetchFailure | AnswerError | undefined): boolean {
  if (failure === undefined) return false;
  if (failure instanceof AnswerError) return failure.kind === "truncated";
  return decideRetry(failure, 1, 0).retry;
}

function describeVotes(partition: number, agreement: Agreement | undefined): string {
  if (agreement === undefined) return `partition ${partition} has no vote`;
  const { votesFor, votesAgainst, outOf } = agreement;
  return `partition ${partition} has ${votesFor} votes for its most popular hash and ${votesAgainst} against, of ${outOf}`;
}

function firstFew(items: readonly string[]): string {
  const shown = 3;
  const more = items.length > shown ? `; and ${items.length - shown} more` : "";
  return `${items.slice(0, shown).join("; ")}${more}`;
}

function keepsNoCopies(cycle: number): Failure {
  const problem = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
  return new Failure("no-agreement", problem, {
    hint: "There is nothing that a snapshot could be checked against. If the network really is empty, --allow-empty publishes that.",
  });
}
