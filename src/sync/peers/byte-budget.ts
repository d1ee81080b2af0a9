/**
 * How many bytes responses may hold before a hash confirms them (docs/decisions/0004). Nothing in the protocol says
 * how large a partition is: what several peers send is believed, and an endless response costs a budget, not the disk.
 */

import {
  partitionBytesMax,
  responseBytesPerPartition,
  unconfirmedBytesFirst,
  unconfirmedDiskShare,
  unconfirmedDiskShareLast,
  unconfirmedFactor,
  unconfirmedPerConfirmed,
} from "../../limits/sync.ts";
import type { Partition, PeerIndex } from "../../protocol/brands.ts";
import type { QueryId } from "../queries/partition-tasks.ts";
import type { PeerPool } from "./peer-pool.ts";

/** Other peers that must have outgrown the budget before it grows for the next one. */
const OUTGROWN_BEFORE_GROWTH = 2;

/** How long a reading of the free space holds, apart from what the responses have taken since. */
const freeBytesMaxAgeMs = 100;

/** Bytes that a response holds, most of which belong to one partition. */
export interface HeldBytes {
  readonly query: QueryId;
  readonly peer: PeerIndex;
  readonly partition: Partition;
  readonly bytes: number;
}

/** A peer sent more bytes for a partition than the partition turns out to have. */
export interface OversizedResponse {
  readonly peer: PeerIndex;
  readonly bytes: number;
}

export class ByteBudget {
  readonly #pool: PeerPool;
  readonly #outgrown: { readonly peer: PeerIndex; readonly partition: Partition; readonly bytes: number }[] =
    [];
  /** Peers that have outgrown the present budget. */
  readonly #outgrownBy = new Set<PeerIndex>();
  #bytes = unconfirmedBytesFirst;
  /** Of the largest partition that a hash has confirmed. */
  #confirmedMax = 0;
  /** Query → unconfirmed bytes on the disk. */
  readonly #held = new Map<QueryId, number>();
  #diskShare = unconfirmedDiskShare;
  #disk: { readonly atMs: number; readonly bytes: number } | undefined;
  /** Unconfirmed bytes on the disk of responses that are over. */
  readonly #keptBytes: () => number;

  constructor(pool: PeerPool, keptBytes: () => number = () => 0) {
    this.#pool = pool;
    this.#keptBytes = keptBytes;
  }

  /** What one response may hold unconfirmed, unless other peers have sent as much. */
  get responseBytes(): number {
    return Math.max(this.#bytes, unconfirmedPerConfirmed * this.#confirmedMax);
  }

  get mayGrow(): boolean {
    return this.responseBytes < partitionBytesMax;
  }

  /** How long a response may be that covers so many partitions, whether it is kept or not. */
  responseBytesMax(partitions: number): number {
    return partitions * Math.max(responseBytesPerPartition, this.responseBytes);
  }

  /** What responses hold beyond their share of the disk; `undefined` where they are within it. */
  get excess(): { readonly held: number; readonly free: number } | undefined {
    const held = this.#heldBytes();
    if (this.#disk === undefined || held <= this.#diskShare * this.#disk.bytes) return undefined;
    return { held, free: this.#disk.bytes };
  }

  /** Whether a response holds more than the budget allows. */
  isOutgrown(query: QueryId): boolean {
    return (this.#held.get(query) ?? 0) > this.responseBytes;
  }

  /** Whether the free space has to be read again. */
  needsFreeBytes(nowMs: number): boolean {
    return this.#disk === undefined || nowMs - this.#disk.atMs > freeBytesMaxAgeMs;
  }

  freeBytes(bytes: number, nowMs: number): void {
    // What responses hold now would be free without them.
    this.#disk = { atMs: nowMs, bytes: bytes + this.#heldBytes() };
  }

  /** A response grows: either the budget allows it, grows with it, or is {@link isOutgrown outgrown}. */
  hold({ query, peer, partition, bytes }: HeldBytes): void {
    this.#held.set(query, bytes);
    if (bytes <= this.responseBytes) return;
    // Noted at once, for the next peer that sends as much: this response still takes a while to end.
    if (this.mayGrow && this.#isBelieved(peer, partition)) this.grow();
    else this.#outgrownBy.add(peer);
  }

  /** The response is over: what it held is confirmed, or removed. */
  release(query: QueryId): void {
    this.#held.delete(query);
  }

  /** From now on, a single response may take more of the disk than several together. */
  useLastShare(): void {
    this.#diskShare = unconfirmedDiskShareLast;
  }

  /** Lets every response hold more, and every peer be requested again that had outgrown the budget. */
  grow(): void {
    if (!this.mayGrow) return;
    this.#bytes = this.responseBytes * unconfirmedFactor;
    this.#outgrownBy.clear();
    this.#pool.lift("outgrown");
  }

  /** A peer's response was ended: it is requested for that partition again only after the budget has grown. */
  exclude(peer: PeerIndex, partition: Partition, bytes: number): void {
    this.#outgrown.push({ peer, partition, bytes });
    const detail = `sent more than any other node so far: ${bytes} bytes, with more to come`;
    this.#pool.exclude(peer, partition, { reason: "outgrown", detail });
  }

  /** A hash has confirmed the size of a partition. */
  confirm(bytes: number): void {
    this.#confirmedMax = Math.max(this.#confirmedMax, bytes);
  }

  /** The peers that sent more for a partition than it has. */
  oversized(partition: Partition, confirmedBytes: number): OversizedResponse[] {
    return this.#outgrown.filter((sent) => sent.partition === partition && sent.bytes > confirmedBytes);
  }

  /** Whether other peers have sent as much, or no other peer has the partition. */
  #isBelieved(peer: PeerIndex, partition: Partition): boolean {
    const others = this.#outgrownBy.size - (this.#outgrownBy.has(peer) ? 1 : 0);
    return others >= OUTGROWN_BEFORE_GROWTH || !this.#pool.hasOther(peer, partition);
  }

  #heldBytes(): number {
    let held = this.#keptBytes();
    for (const bytes of this.#held.values()) held += bytes;
    return held;
  }
}
