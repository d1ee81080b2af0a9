/** Requests to virtual peers: responses take virtual time and have no bytes, only their number and their content's name. */

import type { ResponseEnd, ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import { allPartitions, GLOBAL_PARTITION, partitionRange, stores } from "../protocol/shard.ts";
import type { SnapshotReq } from "../protocol/snapshot-request.ts";
import type { PartialSnapshotRequest, ResponseObserver, Transport } from "../sync/ports.ts";
import type { Scenario, VirtualPeer } from "./scenario.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

/** As long as the default `--stall-timeout`. */
export const stallTimeoutMs = 30_000;

/** Chunks of a partition: few, since each costs the simulator a step. */
const chunksPerPartition = 3;

/** Chunks of an endless partition double, up to what takes so long. */
export const endlessChunksMax = 12;
export const endlessChunkMs = 20_000;

/** How long a peer lingers that has sent everything: longer than a run may take. */
const lingerMs = 1e9;

/** The time to sort an unordered partition. */
const sortMs = 15_000;

/** One request as its checks see it. */
export interface RequestWatcher {
  begin(peer: number, partitions: ReadonlySet<number>, signal: AbortSignal): void;
  end(peer: number): void;
}

/** The name of a partition's true content; a hash in a real network. */
export function trueContent(partition: number): string {
  return `content of ${partition}`;
}

export const emptyContent = "no accounts";

export class VirtualTransport implements Transport {
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #disk: VirtualDisk;
  readonly #watcher: RequestWatcher;
  readonly #indexes: ReadonlyMap<string, number>;
  /** Peer → the number of its rejected requests and incomplete responses. */
  readonly #failures = new Map<number, number>();

  constructor(scenario: Scenario, clock: VirtualClock, disk: VirtualDisk, watcher: RequestWatcher) {
    this.#scenario = scenario;
    this.#clock = clock;
    this.#disk = disk;
    this.#watcher = watcher;
    this.#indexes = new Map(scenario.peers.map(({ id }, index) => [id, index]));
  }

  async request(
    { node, body, signal }: PartialSnapshotRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport> {
    const index = this.#indexes.get(node.id);
    const peer = this.#scenario.peers[index ?? -1];
    if (index === undefined || peer === undefined) throw new Error(`no virtual peer ${node.id}`);
    this.#watcher.begin(index, receiver.requested, signal);
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
      this.#requireServed(index, peer);
      for (const partition of this.#partitionsOf(index, peer, body)) {
        await response.send(partition, this.#sizeOf(partition));
        this.#requireConnected(index, peer);
      }
      await response.ended();
      return response.report({ kind: "complete" });
    } catch (error) {
      if (!(error instanceof FetchError || error instanceof ResponseError)) throw error;
      return response.report({ kind: "failed", error });
    } finally {
      response.discard();
      this.#watcher.end(index);
    }
  }

  /** Returns the content of a response, in order: by address, and the global accounts at the end. */
  #partitionsOf(index: number, { knowsRanges, behaviour }: VirtualPeer, body: SnapshotReq): number[] {
    const { shard } = this.#scenario;
    const strays = behaviour.kind === "strays";
    const isRequested = (partition: number) => {
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

  #sizeOf(partition: number): number {
    return this.#scenario.sizes.get(partition) ?? 0;
  }

  /** @throws FetchError where the peer does not send a response now */
  #requireServed(index: number, { behaviour }: VirtualPeer): void {
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

  /** @throws FetchError where the connection ends after a partition */
  #requireConnected(index: number, { behaviour }: VirtualPeer): void {
    if (behaviour.kind === "breaks-off" && this.#countFailure(index) <= behaviour.times)
      throw new FetchError("reset", "broken off");
    if (behaviour.kind === "dies" && this.#clock.nowMs() >= behaviour.atMs)
      throw new FetchError("reset", "died");
  }

  #countFailure(index: number): number {
    const count = (this.#failures.get(index) ?? 0) + 1;
    this.#failures.set(index, count);
    return count;
  }
}

interface ResponseContext {
  readonly peer: VirtualPeer;
  readonly clock: VirtualClock;
  readonly disk: VirtualDisk;
  readonly receiver: ResponseReceiver;
  readonly observer: ResponseObserver;
  readonly signal: AbortSignal;
}

/** One response, received as `artifact/receive-response.ts` receives a real one. */
class VirtualResponse {
  readonly #context: ResponseContext;
  readonly #mismatched: MismatchedPartition[] = [];
  readonly #begun = new Set<number>();
  #heldBytes = 0;
  /** Bytes on the disk that no commit has taken over. */
  #writtenBytes = 0;
  #foreignAccounts = 0;
  #accounts = 0;
  #lastPartition: number | undefined;
  #outgrown: ResponseReport["outgrown"] = [];

  constructor(context: ResponseContext) {
    this.#context = context;
  }

  /** @throws FetchError `aborted` */
  async wait(ms: number): Promise<void> {
    const { clock, signal } = this.#context;
    const waitMs = Math.min(ms, stallTimeoutMs);
    await clock.sleep(waitMs, signal);
    if (signal.aborted) throw new FetchError("aborted", "aborted");
    if (ms > stallTimeoutMs) throw new FetchError("stalled", "nothing came");
  }

  async send(partition: number, bytes: number): Promise<void> {
    const { peer, receiver } = this.#context;
    const { behaviour } = peer;
    if (behaviour.kind === "malformed") throw new ResponseError("malformed", "no list of accounts");
    const isWithheld = behaviour.kind === "withholds" && behaviour.partitions.has(partition);
    if (bytes === 0 || isWithheld) return;
    this.#lastPartition = partition;
    const isForeign = !receiver.stores(partition);
    if (isForeign) this.#foreignAccounts++;
    const expected = isForeign ? undefined : receiver.expected(partition);
    if (expected !== undefined) {
      receiver.begin(partition);
      this.#begun.add(partition);
      this.#accounts++;
    }
    const sent = await this.#sendBytes(partition, bytes, expected !== undefined);
    if (expected !== undefined) await this.#end(partition, sent);
  }

  /** Removes the bytes that the response holds. */
  discard(): void {
    this.#context.disk.remove(this.#writtenBytes);
    this.#writtenBytes = 0;
  }

  /** Ends the stream of bytes. */
  async ended(): Promise<void> {
    const { behaviour } = this.#context.peer;
    this.#context.observer.waiting();
    if (behaviour.kind === "lingers") await this.#drip(lingerMs);
    await this.wait(1);
    this.#context.observer.ended();
  }

  report(end: ResponseEnd): ResponseReport {
    const { receiver, peer } = this.#context;
    const isComplete = end.kind === "complete";
    const absent = [...receiver.requested].flatMap((partition): MismatchedPartition[] => {
      const expected = this.#begun.has(partition) ? undefined : receiver.expected(partition);
      return expected === undefined
        ? []
        : [{ partition, expected, got: emptyContent, accounts: 0, conflict: undefined }];
    });
    const adds = peer.behaviour.kind === "adds" && this.#accounts > 0;
    return {
      end,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#foreignAccounts + (adds ? 3 : 0),
      duplicateAccounts: adds ? 1 : 0,
      mismatched: isComplete ? [...this.#mismatched, ...absent] : [],
      superfluous: adds && this.#lastPartition !== undefined ? [this.#lastPartition] : [],
      outgrown: this.#outgrown,
    };
  }

  /** Returns the number of received bytes. */
  async #sendBytes(partition: number, bytes: number, isKept: boolean): Promise<number> {
    const { peer, observer } = this.#context;
    const isEndless = peer.behaviour.kind === "endless";
    let chunkBytes = Math.ceil(bytes / chunksPerPartition);
    const chunks = isEndless ? endlessChunksMax : chunksPerPartition;
    let sent = 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (peer.behaviour.kind === "stalls" && chunk === 1) await this.wait(stallTimeoutMs + 1);
      observer.waiting();
      await this.#drip(chunkBytes / peer.bytesPerMs);
      observer.wire(chunkBytes);
      observer.received(chunkBytes);
      sent += chunkBytes;
      if (isKept) await this.#hold(partition, chunkBytes, sent);
      if (isEndless) chunkBytes = Math.min(2 * chunkBytes, Math.ceil(peer.bytesPerMs * endlessChunkMs));
    }
    return sent;
  }

  /** A slow peer sends bytes regularly: it does not stall. */
  async #drip(ms: number): Promise<void> {
    const pauseMs = stallTimeoutMs / 2;
    let leftMs = ms;
    for (; leftMs > pauseMs; leftMs -= pauseMs) {
      await this.wait(pauseMs);
      this.#context.observer.received(1);
      this.#context.observer.waiting();
    }
    await this.wait(leftMs);
  }

  async #hold(partition: number, bytes: number, sent: number): Promise<void> {
    this.#context.disk.write(bytes);
    this.#writtenBytes += bytes;
    this.#heldBytes += bytes;
    if (await this.#context.receiver.mayHold(this.#heldBytes, partition)) return;
    this.#outgrown = [{ partition, bytes: sent }];
    throw new ResponseError("over-budget", "more than the budget");
  }

  async #end(partition: number, bytes: number): Promise<void> {
    const { receiver, peer } = this.#context;
    const { behaviour } = peer;
    const isFalse =
      behaviour.kind === "endless" || (behaviour.kind === "lies" && behaviour.partitions.has(partition));
    const isColluding = behaviour.kind === "lies" && behaviour.isColluding;
    const content = isFalse
      ? `other content of ${partition}${isColluding ? "" : ` from ${peer.id}`}`
      : trueContent(partition);
    const expected = receiver.expected(partition);
    if (expected === content) {
      this.#heldBytes -= bytes;
      // Meanwhile another response may be first.
      await this.wait(peer.isSorted ? 1 : sortMs);
      // The store takes the partition's bytes over, or removes them.
      this.#writtenBytes -= bytes;
      try {
        await receiver.commit({ partition, accounts: 1, bytes, path: content });
      } catch (error) {
        this.#writtenBytes += bytes;
        throw error;
      }
    } else if (expected !== undefined)
      this.#mismatched.push({ partition, expected, got: content, accounts: 1, conflict: undefined });
  }
}
