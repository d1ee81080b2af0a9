/** Sends requests to virtual peers. Responses take virtual time, and have a length and a content name instead of bytes. */

import type { ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import type { NodeId, NodeIndex, Partition } from "../protocol/brands.ts";
import { allPartitions, GLOBAL_PARTITION, partitionRange, stores } from "../protocol/shard.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";
import type { PartialSnapshotRequest, ResponseObserver, Transport } from "../sync/ports.ts";
import type { Scenario, VirtualPeer } from "./scenario.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { VirtualResponse } from "./virtual-response.ts";

/** One request as its checks see it. */
export interface RequestWatcher {
  begin(peer: NodeIndex, partitions: ReadonlySet<Partition>, signal: AbortSignal): void;
  end(peer: NodeIndex): void;
}

export class VirtualTransport implements Transport {
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #disk: VirtualDisk;
  readonly #watcher: RequestWatcher;
  readonly #peers: ReadonlyMap<NodeId, VirtualPeer>;
  /** Peer → the number of its rejected requests and incomplete responses. */
  readonly #failures = new Map<NodeIndex, number>();

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
    this.#watcher.begin(peer.index, receiver.requested, signal);
    const response = new VirtualResponse({
      peer,
      clock: this.#clock,
      disk: this.#disk,
      receiver,
      observer,
      signal,
    });
    try {
      await response.wait(peer.latencyMs);
      this.#requireServed(peer);
      for (const partition of this.#partitionsOf(peer, body)) {
        await response.send(partition, this.#sizeOf(partition));
        this.#requireConnected(peer);
      }
      await response.ended();
      return response.report({ kind: "complete" });
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof ResponseError)) throw error;
      return response.report({ kind: "failed", error });
    } finally {
      response.discard();
      this.#watcher.end(peer.index);
    }
  }

  /** Returns the content of a response, in order: by address, and the global accounts at the end. */
  #partitionsOf({ index, knowsRanges, behaviour }: VirtualPeer, body: SnapshotReq): Partition[] {
    const { shard } = this.#scenario;
    const strays = behaviour.kind === "strays";
    const isRequested = (partition: Partition) => {
      if (!knowsRanges) return true;
      if (partition === GLOBAL_PARTITION) return body.isGlobal !== false;
      if (body.isGlobal === true) return false;
      const { low, high } = partitionRange(shard, partition);
      return (body.accountStart ?? low) <= low && high <= (body.accountEnd ?? high);
    };
    const own = allPartitions(shard).filter((partition) => stores(shard, index, partition));
    const foreign = allPartitions(shard).find((partition) => !stores(shard, index, partition));
    const partitions = own.filter((partition) => isRequested(partition) !== strays);
    if (strays && foreign !== undefined) partitions.push(foreign);
    return partitions.sort((a, b) => (a === GLOBAL_PARTITION ? 1 : b === GLOBAL_PARTITION ? -1 : a - b));
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
  #requireConnected({ index, behaviour }: VirtualPeer): void {
    if (behaviour.kind === "breaks-off" && this.#countFailure(index) <= behaviour.times)
      throw new FetchError("reset", "broken off");
    if (behaviour.kind === "dies" && this.#clock.nowMs() >= behaviour.atMs)
      throw new FetchError("reset", "died");
  }

  #countFailure(index: NodeIndex): number {
    const count = (this.#failures.get(index) ?? 0) + 1;
    this.#failures.set(index, count);
    return count;
  }
}
