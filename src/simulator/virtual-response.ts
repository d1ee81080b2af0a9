/** One response of a virtual peer, received as `artifact/receive-response.ts` receives a real one. */

import type {
  Beginning,
  ResponseEnd,
  ResponseReceiver,
  ResponseReport,
} from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { beginningBytesMin } from "../limits/seed.ts";
import type { Partition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION, type Shard } from "../protocol/shard.ts";
import type { ResponseObserver } from "../sync/ports.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { type Extent, type Received, VirtualEndings } from "./virtual-endings.ts";
import { addressAt, contentOf, type VirtualList } from "./virtual-list.ts";
import type { VirtualPeer } from "./virtual-peer.ts";

/** As long as the default `--stall-timeout`. */
export const stallTimeoutMs = 30_000;

/** Chunks of a partition: few, since each costs the simulator a step. */
const chunksPerPartition = 3;

/** Chunks of an endless partition double, up to what takes so long. */
export const endlessChunksMax = 12;
export const endlessChunkMs = 20_000;

/** How long a peer lingers that has sent everything: longer than a run may take. */
const lingerMs = 1e9;

/** What a peer sends of a partition. */
export interface SentPartition {
  readonly partition: Partition;
  readonly list: VirtualList;
  readonly bytes: number;
}

export interface ResponseContext {
  readonly shard: Shard;
  readonly peer: VirtualPeer;
  readonly clock: VirtualClock;
  readonly disk: VirtualDisk;
  readonly receiver: ResponseReceiver;
  readonly observer: ResponseObserver;
  readonly signal: AbortSignal;
  /** Bytes after which the connection is reset. */
  readonly cutAfterBytes: number;
  /** The time that the run needs to complete a base, or to keep a beginning. */
  readonly completeMs: number;
  /** Bytes of a partition's true content. */
  readonly sizeOf: (partition: Partition) => number;
  /** Called after each chunk. Throws FetchError if the connection ends. */
  readonly requireConnected: () => void;
  /** Called for a base whose file was removed. */
  readonly onLostBase: (partition: Partition) => void;
  /** Called when the peer has sent everything, and lingers. */
  readonly onLinger: () => void;
}

interface OpenPartition extends Received {
  state: "open" | "left";
}

/** One response, received as `artifact/response-merger.ts` merges a real one. */
export class VirtualResponse {
  readonly #context: ResponseContext;
  readonly #endings: VirtualEndings;
  readonly #open = new Map<Partition, OpenPartition>();
  readonly #begun = new Set<Partition>();
  #current: OpenPartition | undefined;
  /** Over the wire. */
  #sentBytes = 0;
  #foreignAccounts = 0;
  #accounts = 0;
  #lastPartition: Partition | undefined;
  #outgrown: ResponseReport["outgrown"] = [];

  constructor(context: ResponseContext) {
    this.#context = context;
    this.#endings = new VirtualEndings(context);
  }

  /**
   * Lets virtual time pass without a byte.
   *
   * @throws FetchError `aborted` or `stalled`
   */
  async wait(ms: number): Promise<void> {
    const { clock, signal } = this.#context;
    const waitMs = Math.min(ms, stallTimeoutMs);
    await clock.sleep(waitMs, signal);
    if (signal.aborted) throw new FetchError("aborted", "aborted");
    if (ms > stallTimeoutMs) throw new FetchError("stalled", "nothing came");
  }

  async send(sent: SentPartition): Promise<void> {
    const { partition, list, bytes } = sent;
    const { peer, receiver } = this.#context;
    const { behaviour } = peer;
    if (behaviour.kind === "malformed") throw new ResponseError("malformed", "no list of accounts");
    const isWithheld = behaviour.kind === "withholds" && behaviour.partitions.has(partition);
    if (bytes === 0 || isWithheld) return;
    this.#lastPartition = partition;
    const isForeign = !receiver.stores(partition);
    if (isForeign) this.#foreignAccounts++;
    const isExpected = !isForeign && receiver.expected(partition) !== undefined;
    await this.#sendBytes(sent, isExpected ? await this.#openFor(partition, list) : undefined);
  }

  /** Ends the stream of bytes. */
  async ended(): Promise<void> {
    const { observer, onLinger, peer } = this.#context;
    const { behaviour } = peer;
    observer.waiting();
    if (behaviour.kind === "lingers") {
      // A real response commits what it ends with when it ends. Here, what lingers has nothing left to give.
      for (const open of this.#open.values()) if (this.#isMatched(open)) await this.#end(open, "whole");
      onLinger();
      await this.#drip(lingerMs);
    }
    await this.wait(1);
    observer.ended();
  }

  /** Ends all partitions that are still open. */
  async finish(end: ResponseEnd): Promise<ResponseReport> {
    const { receiver, peer, clock, completeMs } = this.#context;
    const beginnings = end.kind === "failed" && isCutOff(end.error) ? this.#leaveBeginnings() : [];
    // Meanwhile another response may give what they begin.
    if (beginnings.length > 0) await clock.sleep(completeMs, new AbortController().signal);
    for (const open of this.#open.values()) await this.#end(open, extentOf(open, end));
    if (end.kind === "complete")
      for (const partition of receiver.requested)
        if (!this.#begun.has(partition)) this.#endings.endWithoutAccounts(partition);
    await this.#endings.settled();
    const adds = peer.behaviour.kind === "adds" && this.#accounts > 0;
    return {
      end,
      accounts: this.#accounts,
      lastPartition: this.#lastPartition,
      foreignAccounts: this.#foreignAccounts + (adds ? 3 : 0),
      duplicateAccounts: adds ? 1 : 0,
      mismatched: this.#endings.mismatched,
      superfluous: adds && this.#lastPartition !== undefined ? [this.#lastPartition] : [],
      outgrown: this.#outgrown,
      beginnings,
      unfitBases: this.#endings.unfitBases,
    };
  }

  /** Removes the bytes that the response holds; without a report, its beginnings as well. */
  async discard(isReported: boolean): Promise<void> {
    await this.#endings.settled().catch(() => undefined); // an earlier error is thrown
    this.#endings.discard();
    if (!isReported) this.#endings.discardBeginnings();
  }

  /** Begins a partition, and leaves the one before it, which is committed if it is complete. */
  async #openFor(partition: Partition, { from }: VirtualList): Promise<OpenPartition> {
    const { receiver } = this.#context;
    receiver.begin(partition);
    this.#begun.add(partition);
    this.#accounts++;
    const open: OpenPartition = { partition, list: undefined, bytes: 0, from, state: "open" };
    this.#open.set(partition, open);
    if (partition === GLOBAL_PARTITION) return open;
    const left = this.#current;
    this.#current = open;
    if (left?.state !== "open") return open;
    left.state = "left";
    if (this.#isMatched(left)) await this.#end(left, "whole");
    return open;
  }

  #isMatched({ partition, list }: OpenPartition): boolean {
    const { peer, receiver } = this.#context;
    return (
      peer.isSorted && list !== undefined && contentOf(partition, [list]) === receiver.expected(partition)
    );
  }

  async #end(open: OpenPartition, extent: Extent): Promise<void> {
    await this.#endings.end(open, extent);
    this.#open.delete(open.partition);
  }

  /** Keeps what a response that broke off has of the partitions that it was giving, if it was in order. */
  #leaveBeginnings(): Beginning[] {
    const { receiver, peer, shard } = this.#context;
    const beginnings: Beginning[] = [];
    if (receiver.isDelta || !peer.isSorted) return beginnings;
    for (const open of this.#open.values()) {
      const { partition, list, bytes } = open;
      const isCut = partition === GLOBAL_PARTITION || open === this.#current;
      if (!isCut || open.state !== "open" || list === undefined || list.to === list.from) continue;
      if (bytes < beginningBytesMin || this.#isMatched(open)) continue;
      if (receiver.expected(partition) === undefined) continue;
      const path = this.#endings.release(open, list);
      this.#open.delete(partition);
      const firstId = addressAt(shard, partition, list.from);
      beginnings.push({ partition, firstId, lastId: addressAt(shard, partition, list.to - 1), bytes, path });
    }
    return beginnings;
  }

  async #sendBytes({ list, bytes }: SentPartition, open: OpenPartition | undefined): Promise<void> {
    const { peer, observer, cutAfterBytes, requireConnected } = this.#context;
    const isEndless = peer.behaviour.kind === "endless";
    let chunkBytes = Math.ceil(bytes / chunksPerPartition);
    const chunks = isEndless ? endlessChunksMax : chunksPerPartition;
    for (let chunk = 0, sent = 0; chunk < chunks; chunk++) {
      if (peer.behaviour.kind === "stalls" && chunk === 1) await this.wait(stallTimeoutMs + 1);
      const left = isEndless ? chunkBytes : Math.min(chunkBytes, bytes - sent);
      const arrived = Math.min(left, cutAfterBytes - this.#sentBytes);
      observer.waiting();
      await this.#drip(arrived / peer.bytesPerMs);
      observer.wire(arrived);
      observer.received(arrived);
      sent += arrived;
      this.#sentBytes += arrived;
      if (open !== undefined) await this.#hold(open, arrived, receivedOf(list, sent / bytes));
      if (this.#sentBytes >= cutAfterBytes) throw new FetchError("reset", "broken off half-way");
      if (chunk < chunks - 1) requireConnected();
      if (isEndless) chunkBytes = Math.min(2 * chunkBytes, Math.ceil(peer.bytesPerMs * endlessChunkMs));
    }
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

  async #hold(open: OpenPartition, bytes: number, list: VirtualList): Promise<void> {
    this.#endings.write(bytes);
    open.bytes += bytes;
    open.list = list;
    let held = 0;
    for (const other of this.#open.values()) held += other.bytes;
    if (await this.#context.receiver.mayHold(held, open.partition)) return;
    this.#outgrown = [...this.#open.values()]
      .filter((other) => other.bytes * this.#open.size >= held)
      .map(({ partition, bytes: of }) => ({ partition, bytes: of }));
    throw new ResponseError("over-budget", "more than the budget");
  }
}

/** What has arrived of a list. */
function receivedOf(list: VirtualList, share: number): VirtualList {
  if (share >= 1) return list;
  return { ...list, to: list.from + Math.floor((list.to - list.from) * share) };
}

function extentOf({ state }: OpenPartition, end: ResponseEnd): Extent {
  if (end.kind === "complete") return "whole";
  return state === "left" ? "left" : "cut-off";
}

function isCutOff(error: Extract<ResponseEnd, { kind: "failed" }>["error"]): boolean {
  return ["reset", "stalled", "aborted", "truncated"].includes(error.kind);
}
