/**
 * What is known of each node as a source of partitions: whether it can be asked now, later or no more, what
 * it has failed in, and which partitions it is not asked for again.
 */

import type { RetryDecision } from "../fetch/retry.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { GLOBAL_PARTITION, type Shard, stores } from "../protocol/shard.ts";
import { rankGroups } from "./rank-groups.ts";

type State =
  | { readonly kind: "free" }
  | { readonly kind: "asked" }
  | { readonly kind: "waiting"; readonly untilMs: number }
  | { readonly kind: "given-up" };

/** Why a node is not asked for a partition any more. */
export type HttpError = "wrong" | "outgrown" | "broken" | "no-space";

/** What came of one node as a source of one partition. */
export interface SourceOutcome {
  readonly node: ActiveNode;
  readonly outcome: "wrong" | "too-early" | "not-held" | "failed";
  readonly reason: string;
}

/** The cycle is not finalized yet, or the snapshot still being exported (PROTOCOL.md, Partial snapshots). */
export const TOO_EARLY = 425;
/** The node holds no snapshot for that timestamp. */
const NOT_HELD = 404;

interface Entry {
  readonly node: ActiveNode;
  state: State;
  failures: number;
  /** The last failure, in words. */
  lastFailure: string | undefined;
  /** The status of the last failure, if it was one. */
  lastStatus: number | undefined;
  readonly refused: Map<number, { readonly refusal: HttpError; readonly reason: string }>;
}

export class PeerPool {
  readonly #shard: Shard;
  readonly #entries: Entry[];
  readonly #order: readonly number[];
  readonly #ranks: ReadonlyMap<string, number>;
  /** Nodes with failures that count. */
  readonly #haveFailed = new Set<number>();
  #hasGiven = false;

  /**
   * @param order of Algorithm 1
   * @param ranks node ID → how many failures its record counts for
   */
  constructor(
    nodes: readonly ActiveNode[],
    shard: Shard,
    order: readonly number[],
    ranks: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#ranks = ranks;
    this.#shard = shard;
    this.#order = order;
    this.#entries = nodes.map((node) => ({
      node,
      state: { kind: "free" },
      failures: 0,
      lastFailure: undefined,
      lastStatus: undefined,
      refused: new Map(),
    }));
  }

  node(index: number): ActiveNode {
    return this.#entry(index).node;
  }

  failures(index: number): number {
    return this.#entry(index).failures;
  }

  /**
   * Those that can be asked now, in order, and in groups: nodes that have failed more often, in this run or by
   * their record, are in a later one.
   */
  askableGroups(nowMs: number): number[][] {
    const askable = this.#order.filter((index) => this.isAskable(index, nowMs));
    // In a large network in which all goes well, this is asked for often.
    if (this.#haveFailed.size === 0 && this.#ranks.size === 0) return [askable];
    return rankGroups(askable, (index) => this.#setback(index));
  }

  isAskable(index: number, nowMs: number): boolean {
    const { state } = this.#entry(index);
    return state.kind === "free" || (state.kind === "waiting" && state.untilMs <= nowMs);
  }

  mayGive(index: number, partition: number): boolean {
    return !this.#entry(index).refused.has(partition);
  }

  /** The partitions that a node is not asked for. */
  refusedBy(index: number): Iterable<number> {
    return this.#entry(index).refused.keys();
  }

  /** When the next node that waits may be asked for one of the partitions; `undefined` where none will. */
  nextMs(partitions: ReadonlySet<number>): number | undefined {
    let next: number | undefined;
    for (const [index, { state }] of this.#entries.entries()) {
      if (state.kind !== "waiting" || (next !== undefined && state.untilMs >= next)) continue;
      const isOfUse = [...partitions].some((partition) => this.#isSource(index, partition));
      if (isOfUse) next = state.untilMs;
    }
    return next;
  }

  /** Whether another node may still give a partition. */
  hasOther(index: number, partition: number): boolean {
    return this.#entries.some(
      ({ state }, other) => other !== index && state.kind !== "given-up" && this.#isSource(other, partition),
    );
  }

  asked(index: number): void {
    this.#entry(index).state = { kind: "asked" };
  }

  /** The query is over, and the node may be asked again. */
  answered(index: number): void {
    this.#entry(index).state = { kind: "free" };
  }

  /** Whether a node has given something in this run. */
  get hasGiven(): boolean {
    return this.#hasGiven;
  }

  /** It has given something: whatever failed before does not count against it any more. */
  succeeded(index: number): void {
    this.#hasGiven = true;
    this.#entry(index).failures = 0;
    this.#haveFailed.delete(index);
  }

  failed(
    index: number,
    reason: string,
    status: number | undefined,
    decision: RetryDecision,
    nowMs: number,
  ): void {
    const entry = this.#entry(index);
    entry.failures++;
    this.#haveFailed.add(index);
    entry.lastFailure = reason;
    entry.lastStatus = status;
    entry.state = decision.retry
      ? { kind: "waiting", untilMs: nowMs + decision.delayMs }
      : { kind: "given-up" };
  }

  refuse(index: number, partition: number, refusal: HttpError, reason: string): void {
    this.#entry(index).refused.set(partition, { refusal, reason });
  }

  /** Forgets refusals of one kind, of all nodes. */
  forgive(forgiven: HttpError): void {
    for (const { refused } of this.#entries) {
      for (const [partition, { refusal }] of refused) if (refusal === forgiven) refused.delete(partition);
    }
  }

  /** Whether a node is not asked for a partition for that reason. */
  isRefused(partition: number, reason: HttpError): boolean {
    return this.#entries.some(({ refused }) => refused.get(partition)?.refusal === reason);
  }

  /** What came of each node that stores a partition, by node. */
  outcomes(partition: number): SourceOutcome[] {
    return this.#entries.flatMap(({ node, refused, lastFailure, lastStatus }, index): SourceOutcome[] => {
      if (!stores(this.#shard, index, partition)) return [];
      const refusal = refused.get(partition);
      if (refusal?.refusal === "wrong") return [{ node, outcome: "wrong", reason: refusal.reason }];
      return [
        {
          node,
          outcome: outcomeOfStatus(lastStatus),
          reason: refusal?.reason ?? lastFailure ?? "was not asked",
        },
      ];
    });
  }

  /** How many failures count against a node: its own of this run, and its record. */
  #setback(index: number): number {
    const { node, failures } = this.#entry(index);
    return failures + (this.#ranks.get(node.id) ?? 0);
  }

  #isSource(index: number, partition: number): boolean {
    const isStored = partition === GLOBAL_PARTITION || stores(this.#shard, index, partition);
    return isStored && this.mayGive(index, partition);
  }

  #entry(index: number): Entry {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`there is no node ${index}`);
    return entry;
  }
}

function outcomeOfStatus(status: number | undefined): SourceOutcome["outcome"] {
  if (status === TOO_EARLY) return "too-early";
  return status === NOT_HELD ? "not-held" : "failed";
}
