/**
 * What is known of each peer as a source of partitions: whether it can be requested now, later or never, why it
 * failed, and which partitions it is not requested for again.
 */

import type { RetryDecision } from "../../errors/retry.ts";
import { asNodeIndex, type NodeIndex, type Partition } from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { GLOBAL_PARTITION, type Shard, stores } from "../../protocol/shard.ts";
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
  /** Whether it uses up one of the peer's attempts. */
  readonly isCounted: boolean;
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
  readonly index: NodeIndex;
  readonly node: ActiveNode;
  state: PeerState;
  /** In a row. */
  failures: number;
  lastFailure: PeerFailure | undefined;
  /** Whether it has given something, and has not stated since that it holds no snapshot. */
  isHolder: boolean;
  readonly exclusions: Map<Partition, Exclusion>;
}

export class PeerPool {
  readonly #shard: Shard;
  readonly #peers: Peer[];
  readonly #order: readonly NodeIndex[];
  readonly #ranks: ReadonlyMap<string, number>;
  /** Peers with failures that count. */
  readonly #failing = new Set<NodeIndex>();
  #hasGiven = false;

  /**
   * @param nodes in their order; a peer's index is its place in it
   * @param order of Algorithm 1
   * @param ranks node ID → how many failures its record counts for
   */
  constructor(
    nodes: readonly ActiveNode[],
    shard: Shard,
    order: readonly NodeIndex[],
    ranks: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#ranks = ranks;
    this.#shard = shard;
    this.#order = order;
    this.#peers = nodes.map((node, index) => ({
      index: asNodeIndex(index),
      node,
      state: { kind: "idle" },
      failures: 0,
      lastFailure: undefined,
      isHolder: false,
      exclusions: new Map(),
    }));
  }

  /** How many peers the pool has. */
  get size(): number {
    return this.#peers.length;
  }

  node(index: NodeIndex): ActiveNode {
    return this.#peer(index).node;
  }

  state(index: NodeIndex): PeerState {
    return this.#peer(index).state;
  }

  /** Failures since the peer last gave something. */
  failures(index: NodeIndex): number {
    return this.#peer(index).failures;
  }

  /** Whether any peer has given something in this run. */
  get hasGiven(): boolean {
    return this.#hasGiven;
  }

  /** Whether a peer that has given something was not found to have dropped the snapshot since. */
  get isHeld(): boolean {
    return this.#peers.some(({ isHolder }) => isHolder);
  }

  /**
   * The peers that can be requested now, in order, and in groups: those that have failed more often, in this run or
   * by their record, are in a later one.
   */
  availableGroups(nowMs: number): NodeIndex[][] {
    const available = this.#order.filter((index) => this.isAvailable(index, nowMs));
    // In a large network in which all goes well, this is called often.
    if (this.#failing.size === 0 && this.#ranks.size === 0) return [available];
    return rankGroups(available, (index) => this.#setback(index));
  }

  isAvailable(index: NodeIndex, nowMs: number): boolean {
    const { state } = this.#peer(index);
    return state.kind === "idle" || (state.kind === "backing-off" && state.untilMs <= nowMs);
  }

  mayGive(index: NodeIndex, partition: Partition): boolean {
    return !this.#peer(index).exclusions.has(partition);
  }

  /** The partitions that a peer is not requested for. */
  excludedOf(index: NodeIndex): Iterable<Partition> {
    return this.#peer(index).exclusions.keys();
  }

  /** When the next peer that backs off can be requested for one of the partitions; `undefined` where none can. */
  nextAvailableMs(partitions: ReadonlySet<Partition>): number | undefined {
    let next: number | undefined;
    for (const { index, state } of this.#peers) {
      if (state.kind !== "backing-off" || (next !== undefined && state.untilMs >= next)) continue;
      if (this.#isSourceOfAny(index, partitions)) next = state.untilMs;
    }
    return next;
  }

  /** Whether another peer may still give a partition. */
  hasOther(index: NodeIndex, partition: Partition): boolean {
    return this.#peers.some(
      (other) =>
        other.index !== index && other.state.kind !== "given-up" && this.#isSource(other.index, partition),
    );
  }

  /** A query of the peer begins. */
  begin(index: NodeIndex): void {
    const { state } = this.#peer(index);
    if (state.kind === "busy" || state.kind === "given-up") throw misuse("begin", index, state);
    this.#peer(index).state = { kind: "busy" };
  }

  /** The query is over, and the peer can be requested again. */
  end(index: NodeIndex): void {
    this.#leaveBusy(index, "end", { kind: "idle" });
  }

  /** The peer has given something: earlier failures no longer count. */
  succeed(index: NodeIndex): void {
    this.#hasGiven = true;
    this.#peer(index).isHolder = true;
    this.forgive(index);
  }

  /** Earlier failures of the peer no longer count. */
  forgive(index: NodeIndex): void {
    this.#peer(index).failures = 0;
    this.#failing.delete(index);
  }

  /** The query is over, because the peer failed. */
  fail(index: NodeIndex, failure: PeerFailure, decision: RetryDecision, nowMs: number): void {
    const peer = this.#peer(index);
    peer.lastFailure = failure;
    if (failure.status === NOT_HELD) peer.isHolder = false;
    if (failure.isCounted) {
      peer.failures++;
      this.#failing.add(index);
    }
    const next: PeerState = decision.retry
      ? { kind: "backing-off", untilMs: nowMs + decision.delayMs }
      : { kind: "given-up" };
    this.#leaveBusy(index, "fail", next);
  }

  exclude(index: NodeIndex, partition: Partition, exclusion: Exclusion): void {
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
  isExcluded(partition: Partition, reason: ExclusionReason): boolean {
    return this.#peers.some(({ exclusions }) => exclusions.get(partition)?.reason === reason);
  }

  /** Whether there would be another source of a partition if exclusions for that reason were lifted. */
  isSourceLost(partition: Partition, reason: ExclusionReason): boolean {
    return this.#peers.some(
      ({ state, exclusions }) => state.kind !== "given-up" && exclusions.get(partition)?.reason === reason,
    );
  }

  /** What came of each peer that stores a partition, in the order of nodes. */
  outcomes(partition: Partition): SourceOutcome[] {
    return this.#peers.flatMap(({ index, node, exclusions, lastFailure }): SourceOutcome[] => {
      if (!stores(this.#shard, index, partition)) return [];
      const exclusion = exclusions.get(partition);
      if (exclusion?.reason === "wrong") return [{ node, outcome: "wrong", reason: exclusion.detail }];
      const reason = exclusion?.detail ?? lastFailure?.message ?? "was not requested";
      return [{ node, outcome: outcomeOfStatus(lastFailure?.status), reason }];
    });
  }

  /** How many failures count against a peer: its own of this run, and its record. */
  #setback(index: NodeIndex): number {
    const { node, failures } = this.#peer(index);
    return failures + (this.#ranks.get(node.id) ?? 0);
  }

  #isSource(index: NodeIndex, partition: Partition): boolean {
    const isStored = partition === GLOBAL_PARTITION || stores(this.#shard, index, partition);
    return isStored && this.mayGive(index, partition);
  }

  #isSourceOfAny(index: NodeIndex, partitions: ReadonlySet<Partition>): boolean {
    for (const partition of partitions) if (this.#isSource(index, partition)) return true;
    return false;
  }

  #leaveBusy(index: NodeIndex, transition: string, next: PeerState): void {
    const peer = this.#peer(index);
    if (peer.state.kind !== "busy") throw misuse(transition, index, peer.state);
    peer.state = next;
  }

  #peer(index: NodeIndex): Peer {
    const peer = this.#peers[index];
    if (peer === undefined) throw new RangeError(`no peer ${index}`);
    return peer;
  }
}

function misuse(transition: string, index: NodeIndex, { kind }: PeerState): Error {
  return new Error(`cannot ${transition} a query of peer ${index}, which is ${kind}`);
}

function outcomeOfStatus(status: number | undefined): SourceOutcome["outcome"] {
  if (status === TOO_EARLY) return "too-early";
  return status === NOT_HELD ? "not-held" : "failed";
}
