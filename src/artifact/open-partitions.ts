/**
 * The partitions of one response that are being received, and the bytes that they hold together: in memory until they
 * are flushed, and on the disk until a hash confirms them.
 */

import type { CopyRun } from "../canonical/copy-run.ts";
import type { Partition } from "../protocol/brands.ts";
import { IncomingPartition } from "./incoming-partition.ts";
import { PendingBytes } from "./pending-bytes.ts";

export class OpenPartitions {
  readonly #partitions = new Map<Partition, IncomingPartition>();
  readonly #pending = new PendingBytes();
  /** The bytes of all open partitions, in memory and on the disk. */
  #heldBytes = 0;

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get(partition: Partition): IncomingPartition | undefined {
    return this.#partitions.get(partition);
  }

  all(): IncomingPartition[] {
    return [...this.#partitions.values()];
  }

  /** @param path where the partition is written while it is received */
  open(partition: Partition, path: string, hashKey: string): IncomingPartition {
    const opened = new IncomingPartition(partition, path, hashKey, this.#pending);
    this.#partitions.set(partition, opened);
    return opened;
  }

  /** Adds copies to an open partition. */
  add(open: IncomingPartition, run: CopyRun): "added" | "duplicate" {
    const before = open.bytes;
    const outcome = open.add(run);
    this.#heldBytes += open.bytes - before;
    return outcome;
  }

  /** Whether {@link write} has something to do after copies were added to a partition. */
  mustWrite(grown: IncomingPartition): boolean {
    return grown.isFull || this.#pending.isFull;
  }

  /**
   * Writes what is pending: the buffers of all partitions if they hold too much together, otherwise those of the
   * partition that the response left, and a full buffer of the partition that grows.
   */
  async write(grown: IncomingPartition, left: IncomingPartition | undefined): Promise<void> {
    if (this.#pending.isFull) for (const open of this.#partitions.values()) await open.release();
    else await left?.release();
    if (grown.isFull) await grown.flush();
  }

  /** Partitions that hold at least an equal share of all bytes. */
  largest(): { partition: Partition; bytes: number }[] {
    return this.all()
      .filter(({ bytes }) => bytes * this.#partitions.size >= this.#heldBytes)
      .map(({ partition, bytes }) => ({ partition, bytes }));
  }

  /** Stops counting the bytes of a partition. It stays here until it is finished or discarded. */
  stopCounting({ bytes }: IncomingPartition): void {
    this.#heldBytes -= bytes;
  }

  /** Removes a partition that was finished or discarded. */
  remove({ partition }: IncomingPartition): void {
    this.#partitions.delete(partition);
  }

  async discardAll(): Promise<void> {
    await Promise.allSettled(this.all().map((open) => open.discard()));
    this.#partitions.clear();
  }
}
