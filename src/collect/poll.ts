/**
 * Asks validators for the gossip of a cycle that was not pushed to us, or not enough of it. Any node may
 * leave messages out, but cannot forge them: several are asked, in the order of Algorithm 1.
 */

import pLimit from "p-limit";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import { AnswerError } from "../merge/answer-error.ts";
import { messageOf } from "../model/failure.ts";
import { gossipNodesPerRound, pollNodesMax } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import type { OffenceKind } from "../model/offence.ts";
import { isSignedBy } from "../model/signature.ts";
import { readGossipAnswer } from "../network/gossip-answer.ts";
import { queryOrder } from "../plan/query-order.ts";
import type { CycleBook } from "./cycle-book.ts";
import type { Intake } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { Roster } from "./roster.ts";

export interface PollContext {
  readonly client: HttpClient;
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly book: CycleBook;
  readonly hashKey: string;
  readonly signal: AbortSignal;
}

/** A message that did not count: who passed it on, and who it says it is of. */
interface Invalid {
  readonly from: string;
  readonly sender: string | undefined;
  readonly problem: string;
}

export class CyclePoll {
  readonly #cycle: number;
  readonly #roster: Roster;
  readonly #context: PollContext;
  readonly #invalid: Invalid[] = [];
  readonly #enough = new AbortController();

  constructor(cycle: number, roster: Roster, context: PollContext) {
    this.#cycle = cycle;
    this.#roster = roster;
    this.#context = context;
  }

  /**
   * @param round how often the cycle was polled for before: others are asked each time
   * @throws Failure where the disk fails
   */
  async run(round: number): Promise<void> {
    const { nodes } = this.#roster;
    const order = queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
    const first = (round * pollNodesMax) % Math.max(order.length, 1);
    const asked = [...order.slice(first), ...order.slice(0, first)].slice(0, pollNodesMax);
    await pLimit(gossipNodesPerRound).map(asked, (node) => this.#ask(node));
    this.#blame();
  }

  get #isOver(): boolean {
    return this.#context.signal.aborted || this.#context.book.entry(this.#cycle).tally?.isComplete === true;
  }

  async #ask(node: ActiveNode): Promise<void> {
    if (this.#isOver) return;
    const { client, ledger, signal } = this.#context;
    const url = `${node.url}/partition-gossip?cycle=${this.#cycle}`;
    const saving: Promise<unknown>[] = [];
    try {
      const chunks = client.stream({ url, signal: AbortSignal.any([this.#enough.signal, signal]) });
      await readGossipAnswer(chunks, (text) => this.#take(text, node, saving));
    } catch (error) {
      if (error instanceof AnswerError) this.#accuse(node.id, "invalid-gossip", error);
      else if (error instanceof FetchFailure) {
        // A node that is down, or has nothing of the cycle, has not done anything wrong.
        if (error.kind === "redirect" || error.kind === "too-large")
          this.#accuse(node.id, "invalid-gossip", error);
      } else throw error;
    } finally {
      ledger.flush();
      await Promise.all(saving);
    }
    if (this.#isOver) this.#enough.abort();
  }

  /** Answers whether the message is one that an honest node would pass on. */
  #take(text: string, node: ActiveNode, saving: Promise<unknown>[]): boolean {
    const { intake, hashKey } = this.#context;
    const screening = intake.screen(text);
    const verdict =
      screening.kind === "candidate"
        ? intake.judge(screening.candidate, isSignedBy(screening.candidate.value, hashKey))
        : screening;
    if (verdict.kind === "new") {
      const saved = this.#context.ledger.keep(verdict.message);
      saved.catch(() => undefined); // reported where the answer's end waits for it
      saving.push(saved);
    }
    // Of a sender that contradicts itself, an honest node may well pass a third message on.
    if (verdict.kind !== "refused" || verdict.status === 409) return true;
    this.#invalid.push({ from: node.id, sender: verdict.sender, problem: verdict.problem });
    return false;
  }

  /**
   * A message that does not hold may have been made up by whoever passed it on, or be the sender's own: the
   * former is known where the sender's true message is, or they are one.
   */
  #blame(): void {
    const { heard } = this.#context.book.entry(this.#cycle);
    for (const { from, sender, problem } of this.#invalid) {
      const isKnown = sender !== undefined && (sender === from || heard.has(sender));
      if (isKnown) this.#accuse(from, "invalid-gossip", problem);
    }
  }

  #accuse(node: string, kind: OffenceKind, problem: unknown): void {
    const detail = `its gossip of cycle ${this.#cycle}: ${messageOf(problem)}`;
    this.#context.ledger.accuse([{ node, kind, cycle: this.#cycle, detail, whenMs: Date.now() }]);
  }
}
