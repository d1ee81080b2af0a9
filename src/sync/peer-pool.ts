/**
 * What is known of each peer as a source of partitions: whether it can be requested now, later or never, why it
 * failed, and which partitions it is not requested for again.
 */

import type { RetryDecision } from "../errors/retry.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { GLOBAL_PARTITION, type Shard, stores } from "../protocol/shard.ts";
import { rankGroups } from "./rank-groups.ts";

export type PeerState =
  | { readonly kind: "idle" }
  | { readonly kind: "busy" }
  /** It failed, and is requested again after that. */
  | { readonly kind: "backing-off"; readonly untilMs: number }
  | { readonly kind: "given-up" };

/** Why a peer is not requested for a partition any more. */
export type ExclusionReason = "wrong" | "outgrown" | "broken" | "no-space";

export interface Exclusion {
  readonly reason: ExclusionReason;
  readonly detail: string;
}

/** The last failure of a peer. */
export interface PeerFailure {
  readonly message: string;
  /** The HTTP status, where it was one. */
  readonly status: number | undefined;
}

/** What came of one peer as a source of one partition. */
export interface SourceOutcome {
  readonly node: ActiveNode;
  readonly outcome: "wrong" | "too-early" | "not-held" | "failed";
  readonly reason: string;
}

/** The cycle is not finalized yet, or the snapshot is still being exported (PROTOCOL.md, Partial snapshots). */
export const TOO_EARLY = 425;
/** The node holds no snapshot of that moment. */
const NOT_HELD = 404;

interface Peer {
  readonly node: ActiveNode;
  state: PeerState;
  /** In a row. */
  failures: number;
  lastFailure: PeerFailure | undefined;
  readonly exclusions: Map<number, Exclusion>;
}

export class PeerPool {
  readonly #shard: Shard;
  readonly #peers: Peer[];
  readonly #order: readonly number[];
  readonly #ranks: ReadonlyMap<string, number>;
  /** Peers with failures that count. */
  readonly #failing = new Set<number>();
  #hasGiven = false;

  /**
   * @param nodes in their order; a peer's index is its place in it
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
    this.#peers = nodes.map((node) => ({
      node,
      state: { kind: "idle" },
      failures: 0,
      lastFailure: undefined,
      exclusions: new Map(),
    }));
  }

  /** How many peers the pool has. */
  get size(): number {
    return this.#peers.length;
  }

  node(index: number): ActiveNode {
    return this.#peer(index).node;
  }

  state(index: number): PeerState {
    return this.#peer(index).state;
  }

  /** Failures since the peer last gave something. */
  failures(index: number): number {
    return this.#peer(index).failures;
  }

  /** Whether any peer has given something in this run. */
  get hasGiven(): boolean {
    return this.#hasGiven;
  }

  /**
   * The peers that can be requested now, in order, and in groups: those that have failed more often, in this run or
   * by their record, are in a later one.
   */
  availableGroups(nowMs: number): number[][] {
    const available = this.#order.filter((index) => this.isAvailable(index, nowMs));
    // In a large network in which all goes well, this is called often.
    if (this.#failing.size === 0 && this.#ranks.size === 0) return [available];
    return rankGroups(available, (index) => this.#setback(index));
  }

  isAvailable(index: number, nowMs: number): boolean {
    const { state } = this.#peer(index);
    return state.kind === "idle" || (state.kind === "backing-off" && state.untilMs <= nowMs);
  }

  mayGive(index: number, partition: number): boolean {
    return !this.#peer(index).exclusions.has(partition);
  }

  /** The partitions that a peer is not requested for. */
  excludedOf(index: number): Iterable<number> {
    return this.#peer(index).exclusions.keys();
  }

  /** When the next peer that backs off can be requested for one of the partitions; `undefined` where none can. */
  nextAvailableMs(partitions: ReadonlySet<number>): number | undefined {
    let next: number | undefined;
    for (const [index, { state }] of this.#peers.entries()) {
      if (state.kind !== "backing-off" || (next !== undefined && state.untilMs >= next)) continue;
      if (this.#isSourceOfAny(index, partitions)) next = state.untilMs;
    }
    return next;
  }

  /** Whether another peer may still give a partition. */
  hasOther(index: number, partition: number): boolean {
    return this.#peers.some(
      ({ state }, other) => other !== index && state.kind !== "given-up" && this.#isSource(other, partition),
    );
  }

  /** A query of the peer begins. */
  begin(index: number): void {
    const { state } = this.#peer(index);
    if (state.kind === "busy" || state.kind === "given-up") throw misuse("begin", index, state);
    this.#peer(index).state = { kind: "busy" };
  }

  /** The query is over, and the peer can be requested again. */
  end(index: number): void {
    this.#leaveBusy(index, "end", { kind: "idle" });
  }

  /** The peer has given something: earlier failures no longer count. */
  succeed(index: number): void {
    this.#hasGiven = true;
    this.#peer(index).failures = 0;
    this.#failing.delete(index);
  }

  /** The query is over, because the peer failed. */
  fail(index: number, failure: PeerFailure, decision: RetryDecision, nowMs: number): void {
    const peer = this.#peer(index);
    peer.failures++;
    peer.lastFailure = failure;
    this.#failing.add(index);
    const next: PeerState = decision.retry
      ? { kind: "backing-off", untilMs: nowMs + decision.delayMs }
      : { kind: "given-up" };
    this.#leaveBusy(index, "fail", next);
  }

  exclude(index: number, partition: number, exclusion: Exclusion): void {
    this.#peer(index).exclusions.set(partition, exclusion);
  }

  /** Lifts the exclusions for one reason, of all peers. */
  lift(reason: ExclusionReason): void {
    for (const { exclusions } of this.#peers) {
      for (const [partition, exclusion] of exclusions)
        if (exclusion.reason === reason) exclusions.delete(partition);
    }
  }

  /** Whether a peer is excluded from a partition for that reason. */
  isExcluded(partition: number, reason: ExclusionReason): boolean {
    return this.#peers.some(({ exclusions }) => exclusions.get(partition)?.reason === reason);
  }

  /** Whether there would be another source of a partition if exclusions for that reason were lifted. */
  isSourceLost(partition: number, reason: ExclusionReason): boolean {
    return this.#peers.some(
      ({ state, exclusions }) => state.kind !== "given-up" && exclusions.get(partition)?.reason === reason,
    );
  }

  /** What came of each peer that stores a partition, in the order of nodes. */
  outcomes(partition: number): SourceOutcome[] {
    return this.#peers.flatMap(({ node, exclusions, lastFailure }, index): SourceOutcome[] => {
      if (!stores(this.#shard, index, partition)) return [];
      const exclusion = exclusions.get(partition);
      if (exclusion?.reason === "wrong") return [{ node, outcome: "wrong", reason: exclusion.detail }];
      const reason = exclusion?.detail ?? lastFailure?.message ?? "was not requested";
      return [{ node, outcome: outcomeOfStatus(lastFailure?.status), reason }];
    });
  }

  /** How many failures count against a peer: its own of this run, and its record. */
  #setback(index: number): number {
    const { node, failures } = this.#peer(index);
    return failures + (this.#ranks.get(node.id) ?? 0);
  }

  #isSource(index: number, partition: number): boolean {
    const isStored = partition === GLOBAL_PARTITION || stores(this.#shard, index, partition);
    return isStored && this.mayGive(index, partition);
  }

  #isSourceOfAny(index: number, partitions: ReadonlySet<number>): boolean {
    for (const partition of partitions) if (this.#isSource(index, partition)) return true;
    return false;
  }

  #leaveBusy(index: number, transition: string, next: PeerState): void {
    const peer = this.#peer(index);
    if (peer.state.kind !== "busy") throw misuse(transition, index, peer.state);
    peer.state = next;
  }

  #peer(index: number): Peer {
    const peer = this.#peers[index];
    if (peer === undefined) throw new RangeError(`no peer ${index}`);
    return peer;
  }
}

function misuse(transition: string, index: number, { kind }: PeerState): Error {
  return new Error(`cannot ${transition} a query of peer ${index}, which is ${kind}`);
}

function outcomeOfStatus(status: number | undefined): SourceOutcome["outcome"] {
  if (status === TOO_EARLY) return "too-early";
  return status === NOT_HELD ? "not-held" : "failed";
}
