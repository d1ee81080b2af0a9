/** The invariants of every run, checked during the run and at its end. */

import type { SyncEvent } from "../events/sync-events.ts";
import { unconfirmedDiskShareLast } from "../limits/sync.ts";
import type { NodeId, NodeIndex, Partition } from "../protocol/brands.ts";
import { stores } from "../protocol/shard.ts";
import { IncompleteError } from "../sync/incomplete.ts";
import { hasSmallDisk, isHonest, isReliable, type Scenario, type VirtualPeer } from "./scenario.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { trueContent } from "./virtual-response.ts";

const findingsMax = 10;

/** A partition may be hedged, and hedged again where all its peers straggle; that is rare, and has an end. */
const repetitionMax = 6;

export class RunChecks {
  readonly #scenario: Scenario;
  readonly #disk: VirtualDisk;
  readonly #peers: ReadonlyMap<NodeId, VirtualPeer>;
  readonly #committed = new Set<Partition>();
  /** Peer → the signal that ends its request. */
  readonly #requests = new Map<NodeIndex, AbortSignal>();
  readonly findings: string[] = [];
  requests = 0;
  /** Over the wire: from peers that send just what is requested, and from all. */
  preciseBytes = 0;
  bytes = 0;

  constructor(scenario: Scenario, disk: VirtualDisk) {
    this.#scenario = scenario;
    this.#disk = disk;
    this.#peers = new Map(scenario.peers.map((peer) => [peer.id, peer]));
  }

  begin(peer: NodeIndex, partitions: ReadonlySet<Partition>, signal: AbortSignal): void {
    const { shard, concurrency } = this.#scenario;
    this.requests++;
    if (this.#requests.has(peer)) this.#find(`peer ${peer} has two requests at once`);
    for (const partition of partitions)
      if (!stores(shard, peer, partition)) this.#find(`peer ${peer} does not store ${partition}`);
    this.#requests.set(peer, signal);
    const running = [...this.#requests.values()].filter(({ aborted }) => !aborted).length;
    // Hedged requests use the free places, and one more.
    if (running > concurrency + 1) this.#find(`${running} requests at once, ${concurrency} allowed`);
  }

  end(peer: NodeIndex): void {
    this.#requests.delete(peer);
  }

  /** Checks a committed partition. */
  accept(partition: Partition, content: string): void {
    if (content !== trueContent(partition)) this.#find(`partition ${partition} was committed as ${content}`);
    if (this.#committed.has(partition)) this.#find(`partition ${partition} was committed twice`);
    if (!this.#scenario.missing.has(partition)) this.#find(`partition ${partition} was not missing`);
    this.#committed.add(partition);
  }

  event(event: SyncEvent): void {
    if (event.type === "received") {
      this.bytes += event.bytes;
      if (this.#isPrecise(event.node)) this.preciseBytes += event.bytes;
    }
    if (event.type === "offence") {
      const { node, kind } = event.offence;
      const peer = [...this.#peers.values()].find(({ id }) => id === node);
      if (peer === undefined || isHonest(peer)) this.#find(`honest peer ${node} was blamed: ${kind}`);
    }
  }

  /** Checks the end of a run; `error` where it failed. */
  ended(error: unknown): void {
    if (this.#requests.size > 0) this.#find(`${this.#requests.size} requests outlive the run`);
    const open = [...this.#scenario.missing].filter((partition) => !this.#committed.has(partition));
    if (error === undefined) {
      if (open.length > 0) this.#find(`the run ended without ${open.join(", ")}`);
    } else if (isIncomplete(error)) {
      const given = open.filter((partition) => this.#hasReliableSource(partition) && this.#fits(partition));
      if (given.length > 0) this.#find(`gave up ${given.join(", ")}, which a reliable peer gives`);
    } else this.#find(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    // What a small disk has no space for is requested of every peer.
    if (this.repetition > repetitionMax && !hasSmallDisk(this.#scenario))
      this.#find(`honest peers sent ${this.repetition.toFixed(1)} times the missing bytes`);
  }

  /** How many times the missing bytes peers sent that send just what is requested. */
  get repetition(): number {
    let bytes = 0;
    for (const partition of this.#scenario.missing) bytes += this.#scenario.sizes.get(partition) ?? 0;
    return this.preciseBytes / (bytes + 1_000);
  }

  #isPrecise(node: NodeId): boolean {
    const peer = this.#peers.get(node);
    return peer?.behaviour.kind === "honest" && peer.knowsRanges;
  }

  #hasReliableSource(partition: Partition): boolean {
    const { peers, shard } = this.#scenario;
    return peers.some((peer) => isReliable(peer, this.#scenario) && stores(shard, peer.index, partition));
  }

  /** Returns whether the disk has space for a partition that arrives alone. */
  #fits(partition: Partition): boolean {
    const bytes = this.#scenario.sizes.get(partition) ?? 0;
    return bytes <= unconfirmedDiskShareLast * this.#disk.freeBytes;
  }

  #find(finding: string): void {
    if (this.findings.length < findingsMax) this.findings.push(finding);
  }
}

function isIncomplete(error: unknown): boolean {
  return error instanceof IncompleteError;
}
