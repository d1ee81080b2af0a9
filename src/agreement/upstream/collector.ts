/**
 * Counts the votes of one cycle (PROTOCOL.md, Partition gossip). A Collector takes messages with valid signatures. It
 * keeps the first message of each sender, and counts its votes on the partitions that the sender covers.
 */

import { EventEmitter } from "node:events";
import {
  asCycle,
  asHashHex,
  asNodeId,
  asPartition,
  type Cycle,
  type HashHex,
  type NodeId,
  type NodeIndex,
  type Partition,
} from "../../protocol/brands.ts";
import { indexesOf } from "../../protocol/node.ts";
import { networkHash } from "../../protocol/partition-hash.ts";
import type { Shard } from "../../protocol/shard.ts";
import { asGossipMessage, type GossipMessage, type PlainGossipMessage } from "../../wire/gossip-message.ts";
import { type Agreement, VoteTally } from "../vote-tally.ts";
import { UpstreamTally } from "./upstream-tally.ts";

/** A cycle's geometry and its nodes. */
export interface CycleShard extends Shard {
  readonly cycleNumber: number;
  /** In ascending order. */
  readonly nodeIds: readonly string[];
}

/** The event `gotAllHashes`: every partition and −1 have a hash by the upstream's rule. */
export interface AllHashes {
  readonly cycle: number;
  readonly partitionHashes: ReadonlyMap<number, string>;
  readonly agreements: ReadonlyMap<number, Agreement>;
  readonly networkHash: string;
}

/** {@link AllHashes} for this program. */
export interface UpstreamHashes extends AllHashes {
  readonly partitionHashes: ReadonlyMap<Partition, HashHex>;
  readonly agreements: ReadonlyMap<Partition, Agreement>;
}

/**
 * Its callers have plain numbers and texts, which are checked here: a wrong one is a RangeError. What it returns to them
 * is plain too.
 */
export class Collector extends EventEmitter<{ gotAllHashes: [AllHashes] }> {
  readonly shard: CycleShard;
  readonly #cycle: Cycle;
  readonly #hashKey: string | undefined;
  readonly #indexOf: ReadonlyMap<NodeId, NodeIndex>;
  readonly #messages = new Map<NodeId, GossipMessage>();
  readonly #votes: VoteTally;
  readonly #upstream: UpstreamTally;
  #emitted = false;

  /**
   * Checks the cycle and the node IDs; the rest of the geometry is that of `makeShard`.
   *
   * @throws RangeError if the cycle or a node's ID has another form
   */
  constructor(shard: CycleShard, hashKey?: string) {
    super();
    this.#cycle = asCycle(shard.cycleNumber);
    this.shard = shard;
    this.#hashKey = hashKey;
    this.#indexOf = indexesOf(shard.nodeIds.map(asNodeId));
    this.#upstream = new UpstreamTally(shard);
    this.#votes = new VoteTally(shard);
  }

  /** The messages that count, one for each sender. */
  get messages(): ReadonlyMap<string, PlainGossipMessage> {
    return this.#messages;
  }

  /**
   * Counts messages of this cycle, parsed or as received. Messages of other cycles, of unknown senders, and repetitions
   * do not count.
   *
   * @throws WireError if the value is not a gossip message
   */
  process(messages: Iterable<PlainGossipMessage | object>): void {
    for (const message of messages) {
      this.#count(asGossipMessage(message));
    }
    if (this.#emitted || !this.#upstream.isComplete) return;
    // The caller of `newCollector` may add its listener to a Collector that is already complete.
    if (this.listenerCount("gotAllHashes") > 0) this.#emitAll();
    else queueMicrotask(() => this.#emitAll());
  }

  /** Returns the payload of `gotAllHashes` as of now; `undefined` before it is emitted. */
  allHashes(): UpstreamHashes | undefined {
    if (!this.#upstream.isComplete) return undefined;
    const partitionHashes = this.#upstream.winners();
    const agreements = new Map<Partition, Agreement>();
    for (const partition of partitionHashes.keys()) {
      const agreement = this.#votes.agreement(partition);
      if (agreement !== undefined) agreements.set(partition, agreement);
    }
    const hash = networkHash(partitionHashes, this.#hashKey);
    return { cycle: this.#cycle, partitionHashes, agreements, networkHash: hash };
  }

  /** Returns the votes on a partition; `undefined` before the first vote of a node that covers it. */
  agreement(partition: number): Agreement | undefined {
    return this.#votes.agreement(asPartition(partition));
  }

  /** Returns how many nodes that cover a partition voted for one hash, and how many voted at all. */
  votesFor(partition: number, hash: string): { votesFor: number; total: number; outOf: number } {
    return this.#votes.votesFor(asPartition(partition), asHashHex(hash));
  }

  #emitAll(): void {
    const hashes = this.allHashes();
    if (this.#emitted || hashes === undefined || this.listenerCount("gotAllHashes") === 0) return;
    this.#emitted = true;
    this.emit("gotAllHashes", hashes);
  }

  #count(message: GossipMessage): void {
    const index = this.#indexOf.get(message.sender);
    if (message.cycle !== this.#cycle || index === undefined) return;
    if (this.#messages.has(message.sender)) return;
    this.#messages.set(message.sender, message);
    this.#upstream.count(message, index);
    this.#votes.count(index, message.hashes);
  }
}
