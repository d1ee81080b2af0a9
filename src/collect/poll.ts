/**
 * Asks validators for the gossip of a cycle that was not pushed to us, or not enough of it. Any node may
 * leave messages out, but cannot forge them: several are asked, in the order of Algorithm 1.
 */

import pLimit from "p-limit";
import { type Admission, responsibleFor } from "../agreement/admission.ts";
import { FetchError } from "../errors/fetch-error.ts";
import type { OffenceKind } from "../errors/offence.ts";
import { ResponseError } from "../errors/response-error.ts";
import { messageOf } from "../errors/snapshot-error.ts";
import { readGossipResponse } from "../fetch/gossip-response.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import { gossipNodesPerRound, pollNodesMax } from "../limits/limits.ts";
import { type ActiveNode, nodeUrl } from "../protocol/node.ts";
import { queryOrder } from "../protocol/query-order.ts";
import type { CycleWindow } from "./cycle-window.ts";
import type { Intake } from "./server/intake.ts";
import type { CycleValidators } from "./validator-sets.ts";
import type { VoteStore } from "./vote-store.ts";

export interface PollContext {
  readonly client: HttpClient;
  readonly intake: Intake;
  readonly ledger: VoteStore;
  readonly book: CycleWindow;
  readonly signal: AbortSignal;
}

export class CyclePoll {
  readonly #cycle: number;
  readonly #roster: CycleValidators;
  readonly #context: PollContext;
  readonly #enough = new AbortController();

  constructor(cycle: number, roster: CycleValidators, context: PollContext) {
    this.#cycle = cycle;
    this.#roster = roster;
    this.#context = context;
  }

  /**
   * @param round how often the cycle was polled for before: others are asked each time
   * @throws SnapshotError where the disk fails
   */
  async run(round: number): Promise<void> {
    const { nodes } = this.#roster;
    const order = queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
    const first = (round * pollNodesMax) % Math.max(order.length, 1);
    const asked = [...order.slice(first), ...order.slice(0, first)].slice(0, pollNodesMax);
    await pLimit(gossipNodesPerRound).map(asked, (node) => this.#ask(node));
  }

  get #isOver(): boolean {
    return this.#context.signal.aborted || this.#context.book.entry(this.#cycle).tally?.isComplete === true;
  }

  async #ask(node: ActiveNode): Promise<void> {
    if (this.#isOver) return;
    const { client, ledger, signal } = this.#context;
    const url = nodeUrl(node, `/partition-gossip?cycle=${this.#cycle}`);
    const saving: Promise<unknown>[] = [];
    const unsigned: string[] = [];
    try {
      const chunks = client.stream({ url, signal: AbortSignal.any([this.#enough.signal, signal]) });
      await readGossipResponse(chunks, (text) => this.#take(text, node, saving, unsigned));
    } catch (error) {
      if (error instanceof ResponseError) {
        // What crosses a bound of ours may have been signed by somebody else, and passed on as it should be.
        if (error.kind !== "too-large") this.#accuse(node.id, "invalid-gossip", error);
      } else if (error instanceof FetchError) {
        // A node that is down, or has nothing of the cycle, has not done anything wrong.
        if (error.kind === "redirect" || error.kind === "too-large")
          this.#accuse(node.id, "invalid-gossip", error);
      } else throw error;
    } finally {
      ledger.flush();
      await Promise.all(saving);
    }
    const [problem] = unsigned;
    if (problem !== undefined) this.#accuse(node.id, "invalid-gossip", problem);
    if (this.#isOver) this.#enough.abort();
  }

  /** Returns whether the message is one that an honest node may pass on. */
  #take(text: string, node: ActiveNode, saving: Promise<unknown>[], unsigned: string[]): boolean {
    const { intake, ledger } = this.#context;
    const record = Buffer.from(text);
    const admission: Admission = intake.admit(record);
    if (admission.kind === "new" || admission.kind === "equivocation") {
      const saved = ledger.keep(admission.vote);
      saved.catch(() => undefined); // reported where the response's end waits for it
      saving.push(saved);
    }
    if (admission.kind !== "rejected") return true;
    ledger.convict(admission, record);
    const responsible = responsibleFor(admission.reason);
    const isOwn = responsible === "signing-relay" && admission.sender === node.id;
    if (responsible !== "relay" && !isOwn) return true;
    unsigned.push(admission.problem);
    return false;
  }

  #accuse(node: string, kind: OffenceKind, problem: unknown): void {
    const detail = `its gossip of cycle ${this.#cycle}: ${messageOf(problem)}`;
    this.#context.ledger.accuse([{ node, kind, cycle: this.#cycle, detail, whenMs: Date.now() }]);
  }
}
