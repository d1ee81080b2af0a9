/** Sends requests to virtual peers. Responses take virtual time, and have a length and a content name instead of bytes. */

import type { ResponseEnd, ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { beginningBytesMin } from "../limits/seed.ts";
import { addressAfter, addressSpace } from "../protocol/address.ts";
import type { NodeId, Partition, PeerIndex } from "../protocol/brands.ts";
import { allPartitions, GLOBAL_PARTITION, partitionRange, stores } from "../protocol/shard.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";
import type { ArtifactRequest, PartialSnapshotRequest, ResponseObserver, Transport } from "../sync/ports.ts";
import type { BrokenResponse } from "./ideal-bytes.ts";
import type { Scenario } from "./scenario.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { bytesOf, slots, slotsWithin, type VirtualList } from "./virtual-list.ts";
import type { VirtualPeer, VirtualValidator } from "./virtual-peer.ts";
import { type SentPartition, VirtualResponse } from "./virtual-response.ts";

/** One request as its checks see it. */
export interface RequestWatcher {
  begin(peer: VirtualPeer, receiver: ResponseReceiver, signal: AbortSignal): void;
  /** A peer breaks off. */
  cut(response: BrokenResponse): void;
  /** A peer has sent everything, and lingers. */
  linger(peer: PeerIndex, atMs: number): void;
  /** A base is completed whose file was removed. */
  lostBase(partition: Partition): void;
  end(peer: PeerIndex): void;
}

interface Exchange {
  readonly receiver: ResponseReceiver;
  readonly observer: ResponseObserver;
  readonly signal: AbortSignal;
}

const { high: highest } = addressSpace;

export class VirtualTransport implements Transport {
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #disk: VirtualDisk;
  readonly #watcher: RequestWatcher;
  readonly #peers: ReadonlyMap<NodeId, VirtualValidator>;
  /** Peer → the number of its rejected requests and incomplete responses. */
  readonly #failures = new Map<PeerIndex, number>();
  /** Peer → the number of its responses that it broke off half-way. */
  readonly #cuts = new Map<PeerIndex, number>();

  constructor(scenario: Scenario, clock: VirtualClock, disk: VirtualDisk, watcher: RequestWatcher) {
    this.#scenario = scenario;
    this.#clock = clock;
    this.#disk = disk;
    this.#watcher = watcher;
    this.#peers = new Map(scenario.peers.map((peer) => [peer.id, peer]));
  }

  async request(
    { node, body, signal }: PartialSnapshotRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport> {
    const peer = this.#peers.get(node.id);
    if (peer === undefined) throw new Error(`no virtual peer ${node.id}`);
    return await this.#exchange(peer, this.#partsOf(peer, body), { receiver, observer, signal });
  }

  /** Requests the artifact of a partition from a mirror, or what follows its beginning. */
  async requestArtifact(
    { mirror: place, partition, heldBytes, signal }: ArtifactRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport> {
    const { shard, mirrors } = this.#scenario;
    const mirror = mirrors[place];
    if (mirror === undefined) throw new Error(`no virtual mirror ${place}`);
    // A server without ranges sends everything.
    const last =
      heldBytes > 0 && mirror.knowsRanges ? receiver.base(partition)?.files.at(-1)?.high : undefined;
    const from = last === undefined ? 0 : slotsWithin(shard, partition, addressAfter(last), highest).from;
    const wrong = wrongIn(mirror, partition);
    const list: VirtualList = { kind: "whole", from, to: slots, wrong };
    const part = { partition, list, bytes: bytesOf(this.#sizeOf(partition), list) };
    return await this.#exchange(mirror, [part], { receiver, observer, signal });
  }

  async #exchange(
    peer: VirtualPeer,
    parts: readonly SentPartition[],
    { receiver, observer, signal }: Exchange,
  ): Promise<ResponseReport> {
    this.#watcher.begin(peer, receiver, signal);
    const response = new VirtualResponse({
      ...{
        shard: this.#scenario.shard,
        peer,
        clock: this.#clock,
        disk: this.#disk,
        receiver,
        observer,
        signal,
      },
      cutAfterBytes: this.#cutAfterBytes(peer, parts, receiver.isDelta),
      completeMs: this.#scenario.completeMs,
      sizeOf: (partition) => this.#sizeOf(partition),
      requireConnected: () => this.#requireAlive(peer),
      onLostBase: (partition) => this.#watcher.lostBase(partition),
      onLinger: () => this.#watcher.linger(peer.index, this.#clock.nowMs()),
    });
    let isReported = false;
    try {
      const report = await response.finish(await this.#sendAll(peer, parts, response));
      isReported = true;
      return report;
    } finally {
      await response.discard(isReported);
      this.#watcher.end(peer.index);
    }
  }

  async #sendAll(
    peer: VirtualPeer,
    parts: readonly SentPartition[],
    response: VirtualResponse,
  ): Promise<ResponseEnd> {
    try {
      await response.wait(peer.latencyMs);
      this.#requireServed(peer);
      for (const part of parts) {
        await response.send(part);
        this.#requireConnected(peer);
      }
      await response.ended();
      return { kind: "complete" };
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof ResponseError)) throw error;
      return { kind: "failed", error };
    }
  }

  /** Half of a long response, where the peer breaks off; what remains of a shorter one would leave no beginning. */
  #cutAfterBytes(
    { index, cuts: cutsMax, isSorted }: VirtualPeer,
    parts: readonly SentPartition[],
    isDelta: boolean,
  ): number {
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const cuts = this.#cuts.get(index) ?? 0;
    if (cuts >= cutsMax || bytes < 2 * beginningBytesMin) return Number.POSITIVE_INFINITY;
    this.#cuts.set(index, cuts + 1);
    const cutAfterBytes = Math.ceil(bytes / 2);
    const leavesBeginning = isSorted && !isDelta;
    this.#watcher.cut({
      partitions: parts.map(({ partition }) => partition),
      isDelta,
      lostBytesMax: leavesBeginning ? beginningBytesMin + cutAfterBytes / slots : cutAfterBytes,
    });
    return cutAfterBytes;
  }

  /** Returns the content of a response, in order: by address, and the global accounts at the end. */
  #partsOf(peer: VirtualValidator, body: SnapshotReq): SentPartition[] {
    const { shard } = this.#scenario;
    const strays = peer.behaviour.kind === "strays";
    const own = allPartitions(shard).filter((partition) => stores(shard, peer.index, partition));
    const foreign = allPartitions(shard).find((partition) => !stores(shard, peer.index, partition));
    const partitions = own.filter((partition) => this.#isRequested(peer, body, partition) !== strays);
    if (strays && foreign !== undefined) partitions.push(foreign);
    return partitions
      .sort((a, b) => (a === GLOBAL_PARTITION ? 1 : b === GLOBAL_PARTITION ? -1 : a - b))
      .map((partition) => {
        const list = this.#listOf(peer, body, partition);
        return { partition, list, bytes: bytesOf(this.#sizeOf(partition), list) };
      });
  }

  #isRequested({ knowsRanges }: VirtualPeer, body: SnapshotReq, partition: Partition): boolean {
    if (!knowsRanges) return true;
    if (partition === GLOBAL_PARTITION) return body.isGlobal !== false;
    if (body.isGlobal === true) return false;
    const { low, high } = partitionRange(this.#scenario.shard, partition);
    return (body.accountStart ?? low) <= high && low <= (body.accountEnd ?? high);
  }

  /** Returns what a peer sends of a partition. */
  #listOf(peer: VirtualPeer, body: SnapshotReq, partition: Partition): VirtualList {
    const { knowsRanges, behaviour, id, delta } = peer;
    const { changedSince, accountStart, accountEnd } = body;
    const { shard } = this.#scenario;
    const isCut = knowsRanges && behaviour.kind !== "strays" && accountStart !== undefined;
    const { from, to } = isCut
      ? slotsWithin(shard, partition, accountStart, accountEnd ?? highest)
      : { from: 0, to: slots };
    const wrong = wrongIn(peer, partition);
    if (changedSince === undefined || delta === "ignores") return { kind: "whole", from, to, wrong };
    const changed = this.#changedSince(changedSince);
    if (delta === "omits") return { kind: "delta", from, to: from, changedSince, changed, wrong };
    const altered = delta === "knows" ? wrong : `delta from ${id}`;
    return { kind: "delta", from, to, changedSince, changed, wrong: altered };
  }

  #changedSince(moment: number): number {
    for (const bases of this.#scenario.bases.values())
      for (const { list } of bases)
        if (list.kind === "older" && list.changedSince === moment) return list.changed ?? 1;
    return 1;
  }

  #sizeOf(partition: Partition): number {
    return this.#scenario.sizes.get(partition) ?? 0;
  }

  /**
   * Checks that a peer responds to the present request.
   *
   * @throws FetchError where the peer does not send a response now
   */
  #requireServed({ index, behaviour }: VirtualPeer): void {
    const nowMs = this.#clock.nowMs();
    switch (behaviour.kind) {
      case "down":
        throw new FetchError("unreachable", "refused");
      case "dies":
        if (nowMs >= behaviour.atMs) throw new FetchError("unreachable", "refused");
        break;
      case "drops":
        if (nowMs >= behaviour.atMs) throw new FetchError("status", "dropped", { status: 404 });
        break;
      case "joins":
        if (nowMs < behaviour.atMs)
          throw new FetchError("status", "too early", { status: 425, retryAfterMs: 1_000 });
        break;
      case "refuses":
        if (this.#countFailure(index) <= behaviour.times) {
          const { status, retryAfterMs } = behaviour;
          throw new FetchError("status", `status ${status}`, { status, retryAfterMs });
        }
        break;
    }
  }

  /**
   * Checks that a connection lasts to the next partition.
   *
   * @throws FetchError where the connection ends after a partition
   */
  #requireConnected(peer: VirtualPeer): void {
    const { index, behaviour } = peer;
    if (behaviour.kind === "breaks-off" && this.#countFailure(index) <= behaviour.times)
      throw new FetchError("reset", "broken off");
    this.#requireAlive(peer);
  }

  /**
   * Checks that a peer is still there.
   *
   * @throws FetchError where the peer has died
   */
  #requireAlive({ behaviour }: VirtualPeer): void {
    if (behaviour.kind === "dies" && this.#clock.nowMs() >= behaviour.atMs)
      throw new FetchError("reset", "died");
  }

  #countFailure(index: PeerIndex): number {
    const count = (this.#failures.get(index) ?? 0) + 1;
    this.#failures.set(index, count);
    return count;
  }
}

/** Returns a name of the false content that a peer sends of a partition; `undefined` where it sends the true one. */
function wrongIn({ behaviour, id }: VirtualPeer, partition: Partition): string | undefined {
  if (behaviour.kind === "endless") return `from ${id}`;
  if (behaviour.kind !== "lies" || !behaviour.partitions.has(partition)) return undefined;
  return behaviour.isColluding ? "of liars" : `from ${id}`;
}
