/**
 * The work of a validator when all transactions of a cycle are final (the design of the partition gossip): it hashes the
 * partitions that it stores, gossips the hashes, collects votes until the network's hashes are known, saves these, and
 * compares its own hashes with them. At a marked cycle it also exports its state.
 */

import type { Collector, UpstreamHashes } from "../../../agreement/upstream/collector.ts";
import type { PartitionGossip } from "../../../agreement/upstream/partition-gossip.ts";
import { isAgreed } from "../../../agreement/vote-tally.ts";
import { messageOf } from "../../../errors/snapshot-error.ts";
import { asCycle, type Cycle, type HashHex, type Partition } from "../../../protocol/brands.ts";
import { networkHash } from "../../../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, storedPartitions } from "../../../protocol/shard.ts";
import { agreementCyclesMax, hashedCyclesKept, hashedCyclesMax } from "../../limits.ts";
import { deviated, type FaultHooks, reachStep } from "../fault-hooks.ts";
import type { GossipRelay } from "../gossip/gossip-relay.ts";
import { makeVote } from "../gossip/vote.ts";
import type { Identity } from "../identity.ts";
import type { CycleGeometry, Membership } from "../membership/membership.ts";
import type { StateDatabase } from "../state/state-database.ts";
import { StateReader } from "../state/state-reader.ts";
import { hashPartitions } from "./hash-partitions.ts";
import type { ExportTarget, SnapshotExporter } from "./snapshot-exporter.ts";

/** A report about a cycle. */
export type CycleReport = { readonly cycle: Cycle } & (
  | {
      readonly type: "agreed";
      readonly networkHash: HashHex;
      /** Partitions whose hash has no majority of the nodes that cover them. */
      readonly weak: readonly Partition[];
    }
  | { readonly type: "not-agreed"; readonly messages: number }
  /** The own hash is not the agreed one: the own state is wrong, or that of the majority. */
  | {
      readonly type: "disagreement";
      readonly partition: Partition;
      readonly own: string;
      readonly agreed: string;
      readonly votesFor: number;
      readonly outOf: number;
    }
  /** Another export is active: this cycle is not exported. */
  | { readonly type: "export-refused"; readonly cause: string }
  | { readonly type: "cycle-failed"; readonly cause: string }
  /** The cycle was too old when the validator reached it: it was neither hashed nor exported. */
  | { readonly type: "cycle-missed"; readonly isMarked: boolean }
  /** A node that has joined has the state of the end of the cycle, which is the newest that is over. */
  | { readonly type: "synced" }
  /** The node was removed by the record after the cycle, its last one, and has settled it. */
  | { readonly type: "left" }
);

export interface FinalizedCycle {
  readonly cycle: Cycle;
  /** The end of the cycle, in milliseconds. */
  readonly timestamp: number;
  /** Whether the cycle is to be exported. */
  readonly isMarked: boolean;
}

/** What a validator exchanges with the other validators, and what it sends to the archiver. */
export interface HashExchange {
  readonly gossip: PartitionGossip;
  readonly relay: GossipRelay;
  /** Sends the network hash of a cycle, and the hashes of all partitions, to the archiver. */
  readonly announce: (cycle: Cycle, networkHash: HashHex, hashes: ReadonlyMap<Partition, HashHex>) => void;
}

export interface FinalizerOptions {
  readonly identity: Identity;
  readonly membership: Membership;
  readonly database: StateDatabase;
  readonly exchange: HashExchange;
  readonly exporter: SnapshotExporter;
  readonly hooks: FaultHooks;
  readonly report: (report: CycleReport) => void;
}

/** A cycle whose votes are being collected. */
interface OpenCycle {
  readonly collector: Collector;
  readonly own: ReadonlyMap<Partition, HashHex>;
}

export class CycleFinalizer {
  readonly #options: FinalizerOptions;
  readonly #open = new Map<Cycle, OpenCycle>();
  readonly #hashing = new Set<Promise<unknown>>();
  /** Cycles whose own vote is not sent yet. */
  readonly #voting = new Set<Cycle>();

  constructor(options: FinalizerOptions) {
    this.#options = options;
  }

  /** Whether no cycle is being hashed, and none waits for votes. */
  get isIdle(): boolean {
    return this.#open.size === 0 && this.#voting.size === 0;
  }

  /**
   * Must be called when the transactions of a cycle are committed, and before any later one. It holds the state of this
   * moment; the next commit only has to wait for {@link SnapshotExporter}. A validator that is not a node of the cycle
   * neither votes nor exports.
   *
   * @throws SnapshotError where the database is not at the end of the cycle
   */
  cycleTxsFinalized({ cycle, timestamp, isMarked }: FinalizedCycle): void {
    const { membership, database, hooks, report } = this.#options;
    const { relay, gossip } = this.#options.exchange;
    relay.cycleBegan(asCycle(cycle + 1));
    gossip.cleanOld(cycle, agreementCyclesMax);
    for (const open of this.#open.keys()) {
      if (open <= cycle - agreementCyclesMax) this.#settle(open);
    }
    const geometry = membership.geometryOf(cycle);
    if (geometry?.ownIndex === undefined) return;
    const { shard } = geometry;
    const partitions = [GLOBAL_PARTITION, ...storedPartitions(shard, geometry.ownIndex)];
    const reader = StateReader.open(database.path, cycle, shard.numNodes);
    const hashed = hashPartitions(reader, partitions, hooks.state.views).finally(() => reader.close());
    this.#hashing.add(hashed);
    const forget = () => void this.#hashing.delete(hashed);
    hashed.then(forget, forget);
    if (isMarked) {
      const target = { databasePath: database.path, cycle, timestamp, numPartitions: shard.numNodes };
      this.#export({ ...target, partitions }, hashed);
    }
    this.#voting.add(cycle);
    this.#gossip(cycle, geometry, hashed)
      .catch((error: unknown) => report({ type: "cycle-failed", cycle, cause: messageOf(error) }))
      .finally(() => this.#voting.delete(cycle));
  }

  /** Resolves when fewer than {@link hashedCyclesMax} cycles are being hashed. */
  async waitUntilReady(): Promise<void> {
    while (this.#hashing.size >= hashedCyclesMax) await Promise.race(this.#hashing).catch(() => undefined);
  }

  /** Must be called when a message of a cycle was admitted. It may settle the cycle. */
  messageAdmitted(cycle: Cycle): void {
    const hashes = this.#open.get(cycle)?.collector.allHashes();
    if (hashes !== undefined && weakIn(hashes).length === 0) this.#settle(cycle);
  }

  /** Resolves when the hashing in progress has ended. */
  async stop(): Promise<void> {
    this.#open.clear();
    await Promise.allSettled(this.#hashing);
  }

  #export(target: ExportTarget, hashed: Promise<ReadonlyMap<Partition, HashHex>>): void {
    const { exporter, report } = this.#options;
    try {
      exporter.initiate(target, hashed);
    } catch (error) {
      report({ type: "export-refused", cycle: target.cycle, cause: messageOf(error) });
    }
  }

  async #gossip(
    cycle: Cycle,
    { shard, nodes }: CycleGeometry,
    hashed: Promise<ReadonlyMap<Partition, HashHex>>,
  ): Promise<void> {
    const { database, identity, hooks } = this.#options;
    const { gossip, relay } = this.#options.exchange;
    const own = await hashed;
    reachStep(hooks, "hash");
    const nodeIds = nodes.map(({ id }) => id);
    const collector = gossip.newCollector({ ...shard, cycleNumber: cycle, nodeIds });
    this.#open.set(cycle, { collector, own });
    collector.once("gotAllHashes", () => this.messageAdmitted(cycle));
    // Saved before it is sent: after a restart, the validator sends the same message again.
    if (database.votesOf(cycle).length === 0) {
      const votes = hooks.gossip.votes.map((vote) => makeVote(identity, cycle, vote(own), hooks.gossip));
      const texts = votes.map((vote) => JSON.stringify(deviated(hooks.gossip.messages, vote)));
      database.saveVotes(cycle, texts);
    }
    relay.send(cycle, database.votesOf(cycle));
    reachStep(hooks, "gossip");
  }

  /** Ends the collection of a cycle with the hashes so far. */
  #settle(cycle: Cycle): void {
    const { database, report } = this.#options;
    const { gossip, announce } = this.#options.exchange;
    const open = this.#open.get(cycle);
    if (open === undefined) return;
    this.#open.delete(cycle);
    gossip.clean(cycle);
    const hashes = open.collector.allHashes();
    if (hashes === undefined) {
      report({ type: "not-agreed", cycle, messages: open.collector.messages.size });
      return;
    }
    const agreed = agreedIn(hashes);
    const hash = networkHash(agreed);
    database.saveHashes(cycle, agreed, hash);
    database.forgetBefore(cycle - hashedCyclesKept);
    announce(cycle, hash, agreed);
    report({ type: "agreed", cycle, networkHash: hash, weak: weakIn(hashes) });
    for (const [partition, own] of open.own) this.#compare(cycle, partition, own, hashes);
  }

  #compare(cycle: Cycle, partition: Partition, own: string, { agreements }: UpstreamHashes): void {
    const agreement = agreements.get(partition);
    if (agreement === undefined || agreement.hash === own) return;
    const { hash: agreed, votesFor, outOf } = agreement;
    this.#options.report({ type: "disagreement", cycle, partition, own, agreed, votesFor, outOf });
  }
}

/** Returns the hash of each partition on which the nodes that cover it agree: others have no vote (decision 1). */
export function agreedIn({ partitionHashes, agreements }: UpstreamHashes): Map<Partition, HashHex> {
  return new Map([...partitionHashes].map(([of, hash]) => [of, agreements.get(of)?.hash ?? hash]));
}

/** Partitions whose hash has no majority of the nodes that cover them. */
function weakIn({ partitionHashes, agreements }: UpstreamHashes): Partition[] {
  return [...partitionHashes.keys()].filter((partition) => {
    const agreement = agreements.get(partition);
    return agreement === undefined || !isAgreed(agreement, "majority");
  });
}
