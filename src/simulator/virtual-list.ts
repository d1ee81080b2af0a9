/**
 * Lists of accounts without accounts: the content of a partition is a row of equal slots, each of which stands for some
 * neighbouring accounts. A list has some of them, or what has changed in them. Its hash names its content.
 */

import { lowestAddress } from "../protocol/address.ts";
import { asHashHex, type HashHex, type Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { GLOBAL_PARTITION, partitionRange, type Shard } from "../protocol/shard.ts";

/** How many slots a partition has: each has fewer bytes than the shortest beginning, so that what is kept of a response
 *  has some of them. */
export const slots = 16_384;

/** From a slot, and up to one that is not part of it. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/** Accounts of a partition, in order. */
export interface VirtualList extends SlotRange {
  /** `whole`: all accounts of the slots; `delta`: those that have changed; `older`: all, of an older moment. */
  readonly kind: "whole" | "delta" | "older";
  /** The moment since which changes are in a delta, or not in an older list. */
  readonly changedSince?: number;
  /** The share of accounts that has changed since. */
  readonly changed?: number;
  /** A name of what is wrong with it; `undefined` for true content. */
  readonly wrong: string | undefined;
}

/** The hash of a partition's true content. */
export function trueContent(partition: Partition): HashHex {
  return asHashHex(`01${(partition + 1).toString(16).padStart(62, "0")}`);
}

/** The hash of a partition without accounts. */
export const emptyContent = asHashHex("0".repeat(64));

/** Returns the hash of the sorted union of lists, in which newer accounts replace older ones. */
export function contentOf(partition: Partition, lists: readonly VirtualList[]): HashHex {
  const wrong = lists.find((list) => list.wrong !== undefined);
  if (wrong !== undefined) return hashText(`other content of ${partition}: ${wrong.wrong}`);
  if (isCovered(lists.filter(({ kind }) => kind === "whole"))) return trueContent(partition);
  const older = lists.find(({ kind }) => kind === "older");
  const isNewEnough = ({ kind, changedSince = 0 }: VirtualList) =>
    kind === "whole" || (kind === "delta" && changedSince <= (older?.changedSince ?? 0));
  const isCompleted = older !== undefined && (older.changed === 0 || isCovered(lists.filter(isNewEnough)));
  if (isCompleted) return trueContent(partition);
  const parts = lists.map(({ kind, from, to }) => `${kind} ${from} to ${to}`);
  return lists.length === 0 ? emptyContent : hashText(`${parts.join(", ")} of ${partition}`);
}

function isCovered(ranges: readonly SlotRange[]): boolean {
  let covered = 0;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    if (from > covered) return false;
    covered = Math.max(covered, to);
  }
  return covered === slots;
}

/** Returns the bytes of slots, or of what has changed in them, in a partition of a size. */
export function bytesOf(
  size: number,
  { from, to, kind, changed = 1 }: SlotRange & Partial<Pick<VirtualList, "kind" | "changed">>,
): number {
  const before = (slot: number) => Math.round((size * slot) / slots);
  const bytes = before(to) - before(from);
  return kind === "delta" ? Math.round(bytes * changed) : bytes;
}

/** The address of the first account of a slot. */
export function addressAt(shard: Shard, partition: Partition, slot: number): string {
  const { low, span } = spanOf(shard, partition);
  return paddedPrefix(low + Math.floor((span * slot) / slots));
}

/** Returns the slots within inclusive addresses. */
export function slotsWithin(shard: Shard, partition: Partition, start: string, end: string): SlotRange {
  const firstFrom = (address: string) => {
    let [low, high] = [0, slots];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (addressAt(shard, partition, middle) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const from = firstFrom(start);
  const to = firstFrom(end);
  // The end belongs to the range.
  return { from, to: Math.max(from, to < slots && addressAt(shard, partition, to) === end ? to + 1 : to) };
}

export function lowestAddressOf(shard: Shard, partition: Partition): string {
  return partition === GLOBAL_PARTITION ? lowestAddress(0) : partitionRange(shard, partition).low;
}

const prefixDigits = 12;

/** The first address of a partition and the number of its addresses, by their first digits. */
function spanOf(shard: Shard, partition: Partition): { readonly low: number; readonly span: number } {
  if (partition === GLOBAL_PARTITION) return { low: 0, span: 16 ** prefixDigits - 1 };
  const { low, high } = partitionRange(shard, partition);
  const first = Number.parseInt(low.slice(0, prefixDigits), 16);
  return { low: first, span: Number.parseInt(high.slice(0, prefixDigits), 16) - first };
}

function paddedPrefix(prefix: number): string {
  return prefix.toString(16).padStart(prefixDigits, "0").padEnd(64, "0");
}
