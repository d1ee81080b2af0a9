/** The invariants of every run, checked during the run and at its end. */

import type { MatchedPartition, ResponseReceiver } from "../artifact/response-report.ts";
import type { SyncEvent } from "../events/sync-events.ts";
import { continuationsMax } from "../limits/seed.ts";
import { queriesPerPartitionMax, unconfirmedDiskShareLast } from "../limits/sync.ts";
import { isMirrorIndex, type Partition, type PeerId, type PeerIndex } from "../protocol/brands.ts";
import { stores } from "../protocol/shard.ts";
import { IncompleteError } from "../sync/incomplete.ts";
import { type BrokenResponse, IdealBytes } from "./ideal-bytes.ts";
import { hasSmallDisk, isHonest, isReliable, type Scenario, sourcesOf } from "./scenario.ts";
import { HangError } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { trueContent } from "./virtual-list.ts";
import type { VirtualPeer } from "./virtual-peer.ts";

const findingsMax = 10;

/** A partition may be hedged, and hedged again where all its peers straggle; that is rare, and has an end. */
const repetitionMax = 6;

const beginningFilesMax = continuationsMax + 2 * queriesPerPartitionMax;

interface RunningRequest {
  readonly partitions: ReadonlySet<Partition>;
  readonly signal: AbortSignal;
  /** Since when its peer lingers. */
  lingersSinceMs: number;
}

/** Longer than a run takes to hedge what lingers, where it can. */
const hopeMs = 6 * 3_600_000;

export class RunChecks {
  readonly #scenario: Scenario;
  readonly #disk: VirtualDisk;
  readonly #peers: ReadonlyMap<PeerId, VirtualPeer>;
  readonly #committed = new Set<Partition>();
  /** Peer → its request. */
  readonly #requests = new Map<PeerIndex, RunningRequest>();
  readonly #ideal: IdealBytes;
  #committedBytes = 0;
  #isCalm = true;
  /** Partitions of which a beginning was wrong. */
  readonly #unmixed = new Set<Partition>();
  readonly findings: string[] = [];
  requests = 0;
  /** Over the wire: from peers that send just what is requested, and from all. */
  preciseBytes = 0;
  bytes = 0;

  constructor(scenario: Scenario, disk: VirtualDisk) {
    this.#scenario = scenario;
    this.#disk = disk;
    this.#peers = new Map([...scenario.peers, ...scenario.mirrors].map((peer) => [peer.id, peer]));
    this.#ideal = new IdealBytes(scenario);
  }

  begin({ index: peer, id }: VirtualPeer, receiver: ResponseReceiver, signal: AbortSignal): void {
    const { requested: partitions } = receiver;
    const { shard, concurrency } = this.#scenario;
    this.requests++;
    if (this.#requests.has(peer)) this.#find(`peer ${peer} has two requests at once`);
    for (const partition of partitions)
      if (!isMirrorIndex(peer, shard.numNodes) && !stores(shard, peer, partition))
        this.#find(`peer ${peer} does not store ${partition}`);
    for (const partition of partitions) this.#checkBase(id, partition, receiver);
    for (const other of this.#requests.values())
      if ([...partitions].some((partition) => other.partitions.has(partition))) this.#isCalm = false;
    this.#requests.set(peer, { partitions, signal, lingersSinceMs: Number.POSITIVE_INFINITY });
    const running = [...this.#requests.values()].filter((request) => !request.signal.aborted).length;
    // Hedged requests use the free places, and one more.
    if (running > concurrency + 1) this.#find(`${running} requests at once, ${concurrency} allowed`);
  }

  end(peer: PeerIndex): void {
    this.#requests.delete(peer);
    this.#checkBeginnings();
  }

  linger(peer: PeerIndex, atMs: number): void {
    const request = this.#requests.get(peer);
    if (request !== undefined) request.lingersSinceMs = atMs;
  }

  /** Whether the run has waited long for peers that linger, and nothing else is left to hope for. */
  isLingering(nowMs: number): boolean {
    if (this.#requests.size === 0) return false;
    for (const { lingersSinceMs } of this.#requests.values())
      if (nowMs - lingersSinceMs <= hopeMs) return false;
    return !this.#open().some((partition) => this.#isGiven(partition));
  }

  cut(response: BrokenResponse): void {
    this.#ideal.cut(response);
  }

  lostBase(partition: Partition): void {
    this.#find(`a base of ${partition} is completed whose file was removed`);
  }

  /** Checks the removal of a file. */
  remove(path: string): void {
    if (!this.#disk.removeFile(path)) this.#find(`${path} was removed, which is not the run's`);
  }

  /** Checks a committed partition. */
  accept({ partition, path: content, bytes }: MatchedPartition): void {
    this.#committedBytes += bytes;
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
    if (event.type === "unfit-base" && event.base?.kind === "beginning") this.#unmixed.add(event.partition);
    if (event.type === "response" && event.outcome === "over-budget") this.#isCalm = false;
    if (event.type === "offence") {
      const { node, kind } = event.offence;
      const peer = [...this.#peers.values()].find(({ id }) => id === node);
      if (peer === undefined || isHonest(peer)) this.#find(`honest peer ${node} was blamed: ${kind}`);
    }
  }

  /** Checks the end of a run; `error` where it failed. */
  ended(error: unknown): void {
    const open = this.#open();
    if (error instanceof HangError && this.#mayLinger(open)) return;
    if (this.#requests.size > 0) this.#find(`${this.#requests.size} requests outlive the run`);
    if (error === undefined) {
      if (open.length > 0) this.#find(`the run ended without ${open.join(", ")}`);
      const left = this.#disk.usedBytes - this.#committedBytes;
      if (left !== 0) this.#find(`the run left ${left} bytes on the disk`);
    } else if (isIncomplete(error)) {
      const given = open.filter((partition) => this.#isGiven(partition));
      if (given.length > 0) this.#find(`gave up ${given.join(", ")}, which a reliable peer gives`);
    } else this.#find(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (error === undefined) this.#checkBytes();
    // What a small disk has no space for is requested of every peer.
    if (this.repetition > repetitionMax && !hasSmallDisk(this.#scenario) && !this.#isRestarted)
      this.#find(`honest peers sent ${this.repetition.toFixed(1)} times the missing bytes`);
  }

  /** What a run among honest peers may receive, without hedges and responses that outgrew the byte budget. */
  #checkBytes(): void {
    const ideal = this.#ideal.bytesMax;
    if (ideal === undefined || !this.#isCalm || this.bytes <= ideal) return;
    this.#find(`honest peers sent ${this.bytes} bytes, ${ideal} are enough`);
  }

  /** After a wrong beginning, each peer that breaks off starts anew: its attempts bound that, and no share of the bytes. */
  get #isRestarted(): boolean {
    return this.#unmixed.size > 0 && this.#scenario.peers.some(({ cuts }) => cuts > 0);
  }

  /** How many times the missing bytes peers sent that send just what is requested. */
  get repetition(): number {
    let bytes = 0;
    for (const partition of this.#scenario.missing) bytes += this.#scenario.sizes.get(partition) ?? 0;
    return this.preciseBytes / (bytes + 1_000);
  }

  #isPrecise(node: PeerId): boolean {
    const peer = this.#peers.get(node);
    return peer?.behaviour.kind === "honest" && peer.knowsRanges;
  }

  #hasReliableSource(partition: Partition): boolean {
    return sourcesOf(this.#scenario, partition).some((peer) => isReliable(peer, this.#scenario));
  }

  /** A partition that a response ends with counts when the response ends; a run waits days for the last hope. */
  #mayLinger(open: readonly Partition[]): boolean {
    const isLingering = (partition: Partition) =>
      sourcesOf(this.#scenario, partition).some(({ behaviour }) => behaviour.kind === "lingers");
    return !open.some((partition) => this.#isGiven(partition)) && open.some(isLingering);
  }

  #open(): Partition[] {
    return [...this.#scenario.missing].filter((partition) => !this.#committed.has(partition));
  }

  /** Whether a reliable peer gives a partition, and the disk has space for it. */
  #isGiven(partition: Partition): boolean {
    return this.#hasReliableSource(partition) && this.#fits(partition);
  }

  /** Returns whether the disk has space for a partition that arrives alone. */
  #fits(partition: Partition): boolean {
    const bytes = this.#scenario.sizes.get(partition) ?? 0;
    return bytes <= unconfirmedDiskShareLast * this.#disk.freeBytes;
  }

  /** Checks what a request is to complete. */
  #checkBase(peer: PeerId, partition: Partition, receiver: ResponseReceiver): void {
    const base = receiver.base(partition);
    if (receiver.isDelta && base === undefined) this.#find(`${partition} is requested as a delta of nothing`);
    if (!this.#unmixed.has(partition) || receiver.isDelta) return;
    const isOfOthers = base?.files.some(({ path }) => !path.includes(peer));
    if (isOfOthers) this.#find(`${peer} continues what others gave of ${partition}, after that was wrong`);
  }

  /** A partition has the files of one base, and those that responses in flight leave. */
  #checkBeginnings(): void {
    for (const [partition, files] of this.#disk.filesOf())
      if (files > beginningFilesMax) this.#find(`partition ${partition} has ${files} beginnings`);
  }

  #find(finding: string): void {
    if (this.findings.length < findingsMax) this.findings.push(finding);
  }
}

function isIncomplete(error: unknown): boolean {
  return error instanceof IncompleteError;
}
