/**
 * What is known of each peer as a source of partitions: whether it can be requested now, later or never, why it
 * failed, and which partitions it is not requested for again.
 */

import type { RetryDecision } from "../../errors/retry.ts";
import {
  asMirrorIndex,
  asNodeIndex,
  isMirrorIndex,
  type MirrorUrl,
  type NodeIndex,
  type Partition,
  type PeerId,
  type PeerIndex,
} from "../../protocol/brands.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { GLOBAL_PARTITION, type Shard, stores } from "../../protocol/shard.ts";
import { type Peer, peerId } from "./peer.ts";
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
  readonly peer: Peer;
  readonly outcome: "wrong" | "too-early" | "not-held" | "failed";
  readonly reason: string;
}

/** The cycle is not finalized yet, or the snapshot is still being exported (PROTOCOL.md, Partial snapshots). */
export const TOO_EARLY = 425;
/** The node holds no snapshot of that moment. */
const NOT_HELD = 404;

interface PooledPeer {
  readonly index: PeerIndex;
  readonly peer: Peer;
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
  readonly #peers: PooledPeer[];
  readonly #order: readonly PeerIndex[];
  readonly #ranks: ReadonlyMap<string, number>;
  /** Peers with failures that count. */
  readonly #failing = new Set<PeerIndex>();
  readonly #hasMirrors: boolean;
  #hasGiven = false;

  /**
   * @param nodes in their order; a peer's index is its place in it
   * @param order of Algorithm 1
   * @param ranks node ID → how many failures its record counts for
   * @param mirrors their URLs without secrets; their indices follow those of the nodes
   */
  constructor(
    nodes: readonly ActiveNode[],
    shard: Shard,
    order: readonly NodeIndex[],
    ranks: ReadonlyMap<string, number> = new Map(),
    mirrors: readonly MirrorUrl[] = [],
  ) {
    this.#ranks = ranks;
    this.#shard = shard;
    this.#hasMirrors = mirrors.length > 0;
    const peers: readonly { readonly index: PeerIndex; readonly peer: Peer }[] = [
      ...nodes.map((node, index) => ({ index: asNodeIndex(index), peer: { kind: "node", node } as const })),
      ...mirrors.map((url, place) => ({
        index: asMirrorIndex(nodes.length + place),
        peer: { kind: "mirror", place, url } as const,
      })),
    ];
    this.#order = [...order, ...peers.slice(nodes.length).map(({ index }) => index)];
    this.#peers = peers.map(({ index, peer }) => ({
      index,
      peer,
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

  peer(index: PeerIndex): Peer {
    return this.#peer(index).peer;
  }

  /** The ID of a node, or the URL of a mirror. */
  id(index: PeerIndex): PeerId {
    return peerId(this.peer(index));
  }

  /** Whether a peer should have a partition: a mirror has all of them. */
  stores(index: PeerIndex, partition: Partition): boolean {
    return isMirrorIndex(index, this.#shard.numNodes) || stores(this.#shard, index, partition);
  }

  state(index: PeerIndex): PeerState {
    return this.#peer(index).state;
  }

  /** Failures since the peer last gave something. */
  failures(index: PeerIndex): number {
    return this.#peer(index).failures;
  }

  /** Whether any peer has given something in this run. */
  get hasGiven(): boolean {
    return this.#hasGiven;
  }

  /** Whether a node that has given something was not found to have dropped the snapshot since. */
  get isHeld(): boolean {
    return this.#peers.some(({ peer, isHolder }) => isHolder && peer.kind === "node");
  }

  /**
   * The peers that can be requested now, in order, and in groups: those that have failed more often, in this run or
   * by their record, are in a later one. Mirrors are in groups of their own, behind nodes that have failed as often.
   */
  availableGroups(nowMs: number): PeerIndex[][] {
    const available = this.#order.filter((index) => this.isAvailable(index, nowMs));
    // In a large network in which all goes well, this is called often.
    if (this.#failing.size === 0 && this.#ranks.size === 0 && !this.#hasMirrors) return [available];
    return rankGroups(
      available,
      (index) => 2 * this.#setback(index) + (this.peer(index).kind === "mirror" ? 1 : 0),
    );
  }

  isAvailable(index: PeerIndex, nowMs: number): boolean {
    const { state } = this.#peer(index);
    return state.kind === "idle" || (state.kind === "backing-off" && state.untilMs <= nowMs);
  }

  mayGive(index: PeerIndex, partition: Partition): boolean {
    return !this.#peer(index).exclusions.has(partition);
  }

  /** The partitions that a peer is not requested for. */
  excludedOf(index: PeerIndex): Iterable<Partition> {
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
  hasOther(index: PeerIndex, partition: Partition): boolean {
    return this.#peers.some(
      (other) =>
        other.index !== index && other.state.kind !== "given-up" && this.#isSource(other.index, partition),
    );
  }

  /** A query of the peer begins. */
  begin(index: PeerIndex): void {
    const { state } = this.#peer(index);
    if (state.kind === "busy" || state.kind === "given-up") throw misuse("begin", index, state);
    this.#peer(index).state = { kind: "busy" };
  }

  /** The query is over, and the peer can be requested again. */
  end(index: PeerIndex): void {
    this.#leaveBusy(index, "end", { kind: "idle" });
  }

  /** The peer has given something: earlier failures no longer count. */
  succeed(index: PeerIndex): void {
    this.#hasGiven = true;
    this.#peer(index).isHolder = true;
    this.forgive(index);
  }

  /** Earlier failures of the peer no longer count. */
  forgive(index: PeerIndex): void {
    this.#peer(index).failures = 0;
    this.#failing.delete(index);
  }

  /** The query is over, because the peer failed. */
  fail(index: PeerIndex, failure: PeerFailure, decision: RetryDecision, nowMs: number): void {
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

  exclude(index: PeerIndex, partition: Partition, exclusion: Exclusion): void {
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

  /** What came of each peer that stores a partition: of nodes in their order, then of mirrors. */
  outcomes(partition: Partition): SourceOutcome[] {
    return this.#peers.flatMap(({ index, peer, exclusions, lastFailure }): SourceOutcome[] => {
      if (!this.stores(index, partition)) return [];
      const exclusion = exclusions.get(partition);
      if (exclusion?.reason === "wrong") return [{ peer, outcome: "wrong", reason: exclusion.detail }];
      const reason = exclusion?.detail ?? lastFailure?.message ?? "was not requested";
      return [{ peer, outcome: outcomeOfStatus(lastFailure?.status), reason }];
    });
  }

  /** How many failures count against a peer: its own of this run, and its record. */
  #setback(index: PeerIndex): number {
    return this.failures(index) + (this.#ranks.get(this.id(index)) ?? 0);
  }

  #isSource(index: PeerIndex, partition: Partition): boolean {
    const isStored = partition === GLOBAL_PARTITION || this.stores(index, partition);
    return isStored && this.mayGive(index, partition);
  }

  #isSourceOfAny(index: PeerIndex, partitions: ReadonlySet<Partition>): boolean {
    for (const partition of partitions) if (this.#isSource(index, partition)) return true;
    return false;
  }

  #leaveBusy(index: PeerIndex, transition: string, next: PeerState): void {
    const peer = this.#peer(index);
    if (peer.state.kind !== "busy") throw misuse(transition, index, peer.state);
    peer.state = next;
  }

  #peer(index: PeerIndex): PooledPeer {
    const peer = this.#peers[index];
    if (peer === undefined) throw new RangeError(`no peer ${index}`);
    return peer;
  }
}

function misuse(transition: string, index: PeerIndex, { kind }: PeerState): Error {
  return new Error(`cannot ${transition} a query of peer ${index}, which is ${kind}`);
}

function outcomeOfStatus(status: number | undefined): SourceOutcome["outcome"] {
  if (status === TOO_EARLY) return "too-early";
  return status === NOT_HELD ? "not-held" : "failed";
}
