/**
 * What a validator does when all transactions of a cycle are final (the partition gossip's design): it hashes
 * the partitions that it stores, gossips the hashes, collects those of the others until the network's hashes
 * are known, keeps them, and compares its own with them. At a marked cycle it also exports its state.
 */

import type { AllHashes, Collector } from "../../../agreement/upstream/collector.ts";
import type { PartitionGossip } from "../../../agreement/upstream/partition-gossip.ts";
import { isAgreed } from "../../../agreement/vote-tally.ts";
import { messageOf } from "../../../errors/snapshot-error.ts";
import { networkHash } from "../../../protocol/partition-hash.ts";
import { GLOBAL_PARTITION, type Shard } from "../../../protocol/shard.ts";
import { agreementCyclesMax, hashedCyclesKept, hashedCyclesMax } from "../../limits.ts";
import { deviated, type FaultHooks, reach } from "../fault-hooks.ts";
import type { GossipRelay } from "../gossip/gossip-relay.ts";
import { makeVote } from "../gossip/vote.ts";
import type { Identity } from "../identity.ts";
import type { StateDatabase } from "../state/state-database.ts";
import { StateReader } from "../state/state-reader.ts";
import { hashPartitions } from "./hash-partitions.ts";
import type { SnapshotExporter } from "./snapshot-exporter.ts";

/** What a validator has to say about a cycle. */
export type CycleReport = { readonly cycle: number } & (
  | {
      readonly type: "agreed";
      readonly networkHash: string;
      /** Partitions whose hash has no more than half of those who cover it behind it. */
      readonly weak: readonly number[];
    }
  | { readonly type: "not-agreed"; readonly messages: number }
  /** Ours is not the agreed hash: our state is wrong, or those of the others. */
  | {
      readonly type: "disagreement";
      readonly partition: number;
      readonly own: string;
      readonly agreed: string;
      readonly votesFor: number;
      readonly outOf: number;
    }
  /** Another export is active: this moment is not exported. */
  | { readonly type: "export-refused"; readonly cause: string }
  | { readonly type: "cycle-failed"; readonly cause: string }
  /** It was long over when this validator came to it: it was neither hashed nor, if it was marked, exported. */
  | { readonly type: "cycle-missed"; readonly isMarked: boolean }
);

export interface FinalizedCycle {
  readonly cycle: number;
  /** Milliseconds: its end. */
  readonly timestamp: number;
  /** Whether a snapshot of this moment is to be held. */
  readonly isMarked: boolean;
}

export interface SnapshotOptions {
  readonly identity: Identity;
  readonly shard: Shard;
  /** In ascending order. */
  readonly nodeIds: readonly string[];
  /** The partitions from 0 to N − 1 that are stored, ascending. */
  readonly stored: readonly number[];
  readonly database: StateDatabase;
  readonly gossip: PartitionGossip;
  readonly relay: GossipRelay;
  readonly exporter: SnapshotExporter;
  readonly conduct: FaultHooks;
  readonly report: (report: CycleReport) => void;
  /** Takes the network hash of a cycle, and those of all partitions. */
  readonly announce: (cycle: number, networkHash: string, hashes: ReadonlyMap<number, string>) => void;
}

/** A cycle whose hashes are being collected. */
interface OpenCycle {
  readonly collector: Collector;
  readonly own: ReadonlyMap<number, string>;
}

export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #partitions: readonly number[];
  readonly #open = new Map<number, OpenCycle>();
  readonly #hashing = new Set<Promise<unknown>>();

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#partitions = [GLOBAL_PARTITION, ...options.stored];
  }

  /**
   * To be called when the transactions of a cycle are committed, and before any other is: from then on, the
   * state of this moment is held, and the next commit only has to wait for {@link SnapshotExporter}.
   *
   * @throws SnapshotError where the database is not at the end of that cycle
   */
  cycleTxsFinalized({ cycle, timestamp, isMarked }: FinalizedCycle): void {
    const { database, relay, gossip, conduct, report } = this.#options;
    relay.cycleBegan(cycle + 1);
    gossip.cleanOld(cycle, agreementCyclesMax);
    for (const open of this.#open.keys()) {
      if (open <= cycle - agreementCyclesMax) this.#settle(open);
    }
    const reader = StateReader.open(database.path, cycle);
    const hashed = hashPartitions(reader, this.#partitions, conduct.beliefs).finally(() => reader.close());
    this.#hashing.add(hashed);
    const forget = () => void this.#hashing.delete(hashed);
    hashed.then(forget, forget);
    if (isMarked) this.#export(cycle, timestamp, hashed);
    this.#gossip(cycle, hashed).catch((error: unknown) =>
      report({ type: "cycle-failed", cycle, cause: messageOf(error) }),
    );
  }

  /** Resolves when there is time for another cycle. */
  async waitUntilReady(): Promise<void> {
    while (this.#hashing.size >= hashedCyclesMax) await Promise.race(this.#hashing).catch(() => undefined);
  }

  /** To be called when a message of a cycle came: it may have settled it. */
  heard(cycle: number): void {
    const hashes = this.#open.get(cycle)?.collector.allHashes();
    if (hashes !== undefined && weakIn(hashes).length === 0) this.#settle(cycle);
  }

  /** Resolves when what was begun is over. */
  async stop(): Promise<void> {
    this.#open.clear();
    await Promise.allSettled(this.#hashing);
  }

  #export(cycle: number, timestamp: number, hashed: Promise<ReadonlyMap<number, string>>): void {
    const { database, exporter, shard, report } = this.#options;
    const target = { databasePath: database.path, cycle, timestamp, numPartitions: shard.numNodes };
    try {
      exporter.initiate({ ...target, partitions: this.#partitions }, hashed);
    } catch (error) {
      report({ type: "export-refused", cycle, cause: messageOf(error) });
    }
  }

  async #gossip(cycle: number, hashed: Promise<ReadonlyMap<number, string>>): Promise<void> {
    const { gossip, relay, database, shard, nodeIds, identity, conduct } = this.#options;
    const own = await hashed;
    reach(conduct, "hash");
    const collector = gossip.newCollector({ ...shard, cycleNumber: cycle, nodeIds });
    this.#open.set(cycle, { collector, own });
    collector.once("gotAllHashes", () => this.heard(cycle));
    // On the disk before it is out: after a restart the same is said again, and nothing else.
    if (database.votesOf(cycle).length === 0) {
      const votes = conduct.votes.map((vote) => makeVote(identity, cycle, vote(own), conduct));
      const texts = votes.map((vote) => JSON.stringify(deviated(conduct.messages, vote)));
      database.saveVotes(cycle, texts);
    }
    relay.send(cycle, database.votesOf(cycle));
    reach(conduct, "gossip");
  }

  /** Takes a cycle's hashes as they stand, and forgets who said what. */
  #settle(cycle: number): void {
    const { database, gossip, report, announce } = this.#options;
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

  #compare(cycle: number, partition: number, own: string, { agreements }: AllHashes): void {
    const agreement = agreements.get(partition);
    if (agreement === undefined || agreement.hash === own) return;
    const { hash: agreed, votesFor, outOf } = agreement;
    this.#options.report({ type: "disagreement", cycle, partition, own, agreed, votesFor, outOf });
  }
}

/** Of each partition the hash that those who cover it agree on: others have no vote on it (decision 1). */
export function agreedIn({ partitionHashes, agreements }: AllHashes): Map<number, string> {
  return new Map([...partitionHashes].map(([of, hash]) => [of, agreements.get(of)?.hash ?? hash]));
}

/** Partitions whose hash has no more than half of those who cover it behind it. */
function weakIn({ partitionHashes, agreements }: AllHashes): number[] {
  return [...partitionHashes.keys()].filter((partition) => {
    const agreement = agreements.get(partition);
    return agreement === undefined || !isAgreed(agreement, "majority");
  });
}
