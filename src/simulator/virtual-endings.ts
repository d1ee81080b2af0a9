/** Ends the partitions of a virtual response as `artifact/partition-endings.ts` ends those of a real one. */

import type { PartitionBase, UnfitBase } from "../artifact/response-report.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { contentOf, emptyContent, type VirtualList } from "./virtual-list.ts";
import type { ResponseContext } from "./virtual-response.ts";

/** The time to sort an unordered partition. */
const sortMs = 15_000;

/** What a response has of a partition. */
export interface Received {
  readonly partition: Partition;
  /** The first slot. */
  readonly from: number;
  list: VirtualList | undefined;
  bytes: number;
}

/** As in `artifact/partition-endings.ts`. */
export type Extent = "whole" | "left" | "cut-off";

interface Claim {
  readonly partition: Partition;
  readonly expected: HashHex;
  readonly base: PartitionBase;
}

/** Of no request: sorting and completing are not aborted. */
const never = () => new AbortController().signal;

export class VirtualEndings {
  readonly #context: ResponseContext;
  readonly #completing: Promise<void>[] = [];
  /** Bytes on the disk that neither a commit nor a beginning has taken over. */
  #writtenBytes = 0;
  readonly #kept: string[] = [];
  readonly mismatched: MismatchedPartition[] = [];
  readonly unfitBases: UnfitBase[] = [];

  constructor(context: ResponseContext) {
    this.#context = context;
  }

  /**
   * Uses up space.
   *
   * @throws SnapshotError `disk` where the bytes do not fit
   */
  write(bytes: number): void {
    this.#context.disk.write(bytes);
    this.#writtenBytes += bytes;
  }

  /** Makes what was received a file of its own; returns its path. */
  release({ partition, bytes }: Received, list: VirtualList): string {
    const { peer, disk } = this.#context;
    const path = `beginning ${disk.kept} of ${peer.id}/${partition}`;
    this.#writtenBytes -= bytes;
    disk.keep(path, list, bytes);
    this.#kept.push(path);
    return path;
  }

  async end({ partition, list, bytes }: Received, extent: Extent): Promise<void> {
    const { receiver, peer, clock } = this.#context;
    const expected = receiver.expected(partition);
    const base = receiver.base(partition);
    const content = contentOf(partition, list === undefined ? [] : [list]);
    const isOfUse =
      expected !== undefined &&
      (extent === "whole" ||
        (extent === "left" && base !== undefined) ||
        (peer.isSorted && content === expected));
    if (!isOfUse) return this.#remove(bytes);
    // Meanwhile another response may be first.
    await clock.sleep(peer.isSorted ? 1 : sortMs, never());
    const isContradicting = receiver.isDelta && peer.delta === "contradicts";
    const conflict = isContradicting && content !== expected ? "an account" : undefined;
    if (content === expected) await this.#commit(partition, content, bytes, 0);
    else if (base !== undefined && conflict === undefined)
      this.#complete({ partition, expected, base }, list, bytes, extent);
    else {
      if (extent === "whole" && (base !== undefined || !receiver.isDelta))
        this.mismatched.push({ partition, expected, got: content, accounts: 1, conflict });
      this.#remove(bytes);
    }
  }

  /** Ends a requested partition of which a complete response had no account. */
  endWithoutAccounts(partition: Partition): void {
    const { receiver } = this.#context;
    const expected = receiver.expected(partition);
    if (expected === undefined) return;
    const base = receiver.base(partition);
    if (base !== undefined) this.#complete({ partition, expected, base }, undefined, 0, "whole");
    else this.mismatched.push({ partition, expected, got: emptyContent, accounts: 0, conflict: undefined });
  }

  async settled(): Promise<void> {
    for (const result of await Promise.allSettled(this.#completing.splice(0)))
      if (result.status === "rejected") throw result.reason;
  }

  /** Removes what is left of a response that the disk had no space for, or whose run is over. */
  discard(): void {
    this.#remove(this.#writtenBytes);
  }

  /** Removes the beginnings of a response without a report. */
  discardBeginnings(): void {
    for (const path of this.#kept) this.#context.disk.removeFile(path);
  }

  #complete(claim: Claim, list: VirtualList | undefined, bytes: number, extent: Extent): void {
    const completing = this.#completeBase(claim, list, bytes, extent).finally(() => this.#remove(bytes));
    completing.catch(() => undefined); // thrown by settled()
    this.#completing.push(completing);
  }

  async #completeBase(
    { partition, expected, base }: Claim,
    received: VirtualList | undefined,
    bytes: number,
    extent: Extent,
  ): Promise<void> {
    const { clock, sizeOf, completeMs } = this.#context;
    const lists = this.#read(partition, base);
    // What is written is the whole partition.
    const completedBytes = sizeOf(partition);
    this.write(completedBytes);
    await clock.sleep(completeMs, never());
    const isRead = this.#read(partition, base).length === base.files.length;
    const content = contentOf(partition, received === undefined ? lists : [...lists, received]);
    if (isRead && content === expected)
      return await this.#commit(partition, content, completedBytes, completedBytes - bytes);
    this.#remove(completedBytes);
    if (!isRead) this.unfitBases.push({ partition, reason: "the file was removed" });
    else if (extent === "whole" && base.isOfPeer)
      this.mismatched.push({ partition, expected, got: content, accounts: 1, conflict: undefined });
    else if (extent === "whole") this.unfitBases.push({ partition, reason: `got ${content}` });
  }

  /** Reads the files of a base; those that are gone are reported. */
  #read(partition: Partition, { files: of }: PartitionBase): VirtualList[] {
    const lists = of.flatMap(({ path }) => this.#context.disk.read(path) ?? []);
    if (lists.length < of.length) this.#context.onLostBase(partition);
    return lists;
  }

  async #commit(partition: Partition, path: string, bytes: number, baseBytes: number): Promise<void> {
    // The store takes the bytes over, or removes them.
    this.#writtenBytes -= bytes;
    try {
      await this.#context.receiver.commit({ partition, accounts: 1, bytes, baseBytes, path });
    } catch (error) {
      this.#writtenBytes += bytes;
      throw error;
    }
  }

  #remove(bytes: number): void {
    this.#context.disk.remove(bytes);
    this.#writtenBytes -= bytes;
  }
}
