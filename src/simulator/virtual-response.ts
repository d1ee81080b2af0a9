/** One response of a virtual peer, received as `artifact/receive-response.ts` receives a real one. */

import type { ResponseEnd, ResponseReceiver, ResponseReport } from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import { asHashHex, type HashHex, type Partition } from "../protocol/brands.ts";
import type { ResponseObserver } from "../sync/ports.ts";
import type { VirtualPeer } from "./scenario.ts";
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

/** The hash of a partition's true content. */
export function trueContent(partition: Partition): HashHex {
  return contentHash(1, partition, 0);
}

/** The hash of a partition without accounts. */
export const emptyContent = asHashHex("0".repeat(64));

/** Returns a text in the form of a hash, which differs for different content. */
function contentHash(kind: 1 | 2 | 3, partition: Partition, peer: number): HashHex {
  const places = [partition + 1, peer].map((number) => number.toString(16).padStart(31, "0"));
  return asHashHex(`0${kind}${places.join("")}`);
}

export interface ResponseContext {
  readonly peer: VirtualPeer;
  readonly clock: VirtualClock;
  readonly disk: VirtualDisk;
  readonly receiver: ResponseReceiver;
  readonly observer: ResponseObserver;
  readonly signal: AbortSignal;
}

/** One response, received as `artifact/receive-response.ts` receives a real one. */
export class VirtualResponse {
  readonly #context: ResponseContext;
  readonly #mismatched: MismatchedPartition[] = [];
  readonly #begun = new Set<number>();
  #heldBytes = 0;
  /** Bytes on the disk that no commit has taken over. */
  #writtenBytes = 0;
  #foreignAccounts = 0;
  #accounts = 0;
  #lastPartition: Partition | undefined;
  #outgrown: ResponseReport["outgrown"] = [];

  constructor(context: ResponseContext) {
    this.#context = context;
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

  async send(partition: Partition, bytes: number): Promise<void> {
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
      beginnings: [],
      unfitBases: [],
    };
  }

  /** Returns the number of received bytes. */
  async #sendBytes(partition: Partition, bytes: number, isKept: boolean): Promise<number> {
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

  async #hold(partition: Partition, bytes: number, sent: number): Promise<void> {
    this.#context.disk.write(bytes);
    this.#writtenBytes += bytes;
    this.#heldBytes += bytes;
    if (await this.#context.receiver.mayHold(this.#heldBytes, partition)) return;
    this.#outgrown = [{ partition, bytes: sent }];
    throw new ResponseError("over-budget", "more than the budget");
  }

  async #end(partition: Partition, bytes: number): Promise<void> {
    const { receiver, peer } = this.#context;
    const { behaviour } = peer;
    const isFalse =
      behaviour.kind === "endless" || (behaviour.kind === "lies" && behaviour.partitions.has(partition));
    const isColluding = behaviour.kind === "lies" && behaviour.isColluding;
    const content = isFalse
      ? contentHash(isColluding ? 2 : 3, partition, isColluding ? 0 : peer.index)
      : trueContent(partition);
    const expected = receiver.expected(partition);
    if (expected === content) {
      this.#heldBytes -= bytes;
      // Meanwhile another response may be first.
      await this.wait(peer.isSorted ? 1 : sortMs);
      // The store takes the partition's bytes over, or removes them.
      this.#writtenBytes -= bytes;
      try {
        await receiver.commit({ partition, accounts: 1, bytes, baseBytes: 0, path: content });
      } catch (error) {
        this.#writtenBytes += bytes;
        throw error;
      }
    } else if (expected !== undefined)
      this.#mismatched.push({ partition, expected, got: content, accounts: 1, conflict: undefined });
  }
}
