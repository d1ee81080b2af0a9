/**
 * Polls validators for the gossip of one cycle that was pushed incompletely or not at all. Any node may omit messages,
 * but cannot forge them. So several nodes are queried, in the order of Algorithm 1.
 */

import pLimit from "p-limit";
import type { Admission } from "../../agreement/admission/admission.ts";
import { admit } from "../../agreement/admission/admit.ts";
import type { KnownVotes } from "../../agreement/admission/known-votes.ts";
import { faultOf } from "../../agreement/faults/fault.ts";
import {
  GossipError,
  type GossipSource,
  isInvalidResponse,
  takeMessages,
} from "../../agreement/requests/gossip-source.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import { gossipNodesPerRound, pollNodesMax } from "../../limits/collect.ts";
import type { Cycle } from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { queryOrder } from "../../protocol/query-order.ts";
import type { CycleValidators } from "../network/cycle-validators.ts";
import type { NetworkWatch } from "../network/network-watch.ts";
import type { CycleWindow } from "../votes/cycle-window.ts";
import type { OffenceLog } from "../votes/offence-log.ts";
import type { VoteStore } from "../votes/vote-store.ts";

export interface PollContext {
  readonly source: GossipSource;
  readonly watch: NetworkWatch;
  readonly seen: KnownVotes;
  readonly store: VoteStore;
  readonly offences: OffenceLog;
  readonly cycles: CycleWindow;
}

export class CyclePoll {
  readonly #cycle: Cycle;
  readonly #validators: CycleValidators;
  readonly #context: PollContext;
  readonly #signal: AbortSignal;
  readonly #complete = new AbortController();

  constructor(cycle: Cycle, validators: CycleValidators, context: PollContext, signal: AbortSignal) {
    this.#cycle = cycle;
    this.#validators = validators;
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * @param round how often the cycle was polled before: each round queries other nodes
   * @throws SnapshotError if the disk fails
   */
  async run(round: number): Promise<void> {
    const { nodes } = this.#validators;
    const order = queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
    const first = (round * pollNodesMax) % Math.max(order.length, 1);
    const polled = [...order.slice(first), ...order.slice(0, first)].slice(0, pollNodesMax);
    await pLimit(gossipNodesPerRound).map(polled, (node) => this.#request(node));
  }

  get #isOver(): boolean {
    return this.#signal.aborted || this.#context.cycles.of(this.#cycle).tally?.isComplete === true;
  }

  async #request(node: ActiveNode): Promise<void> {
    if (this.#isOver) return;
    const { source, store } = this.#context;
    const saving: Promise<unknown>[] = [];
    const unsigned: string[] = [];
    try {
      const signal = AbortSignal.any([this.#complete.signal, this.#signal]);
      const batches = source.request(node, this.#cycle, { signal });
      await takeMessages(batches, (message) => this.#take(message, node, saving, unsigned));
    } catch (error) {
      if (!(error instanceof GossipError)) throw error;
      if (isInvalidResponse(error) || error.kind === "unacceptable") this.#recordInvalid(node.id, error);
    } finally {
      store.flush();
      await Promise.all(saving);
    }
    const [problem] = unsigned;
    if (problem !== undefined) this.#recordInvalid(node.id, problem);
    if (this.#isOver) this.#complete.abort();
  }

  /** Returns whether an honest node would forward the message. */
  #take(message: Buffer, { id }: ActiveNode, saving: Promise<unknown>[], unsigned: string[]): boolean {
    const { watch, seen, offences } = this.#context;
    const { areSettingsProved } = watch.current;
    const admission = admit(message, watch.window, watch.validatorSetOf, seen);
    const saved = this.#saved(admission);
    if (saved !== undefined) saving.push(saved);
    if (admission.kind === "rejected") offences.recordRejection(admission, message, areSettingsProved);
    const fault = faultOf(admission, { relay: id, areSettingsProved });
    switch (fault.kind) {
      case "none":
      case "signed":
        return true;
      case "relayed":
        unsigned.push(fault.problem);
        return false;
    }
  }

  #saved(admission: Admission): Promise<unknown> | undefined {
    switch (admission.kind) {
      case "new":
      case "equivocation": {
        const saved = this.#context.store.keep(admission.vote);
        saved.catch(() => undefined); // handled where the end of the response awaits it
        return saved;
      }
      case "duplicate":
      case "rejected":
        return undefined;
    }
  }

  #recordInvalid(node: string, problem: unknown): void {
    const detail = `its gossip of cycle ${this.#cycle}: ${messageOf(problem)}`;
    this.#context.offences.record([
      { node, kind: "invalid-gossip", cycle: this.#cycle, detail, whenMs: Date.now() },
    ]);
  }
}
