/** Cycle records (PROTOCOL.md, Time and Cycle records). */

import { type Cycle, type HashHex, isHashHex } from "./brands.ts";
import { canonicalTextOf } from "./crypto/canonical-text.ts";
import { hashText } from "./crypto/hash.ts";

export interface CycleRecord {
  readonly counter: Cycle;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly duration: number;
  /** How many nodes were active. */
  readonly active: number;
  readonly marker?: string | undefined;
  /** The marker of the record before. */
  readonly previous?: string | undefined;
  /** Whether the start of this cycle is a snapshot timestamp that every validator holds. */
  readonly snapshot?: boolean | undefined;
  /** Network hashes of earlier cycles. */
  readonly networkDataHash: readonly { readonly cycle: Cycle; readonly hash: HashHex }[];
  /** The record as received. Its marker is the hash of this object. */
  readonly received: Readonly<Record<string, unknown>>;
}

/** Yields the cycles from the first to the last, ascending. */
export function* cyclesFrom(first: Cycle, last: Cycle): Generator<Cycle, void, void> {
  for (let cycle: number = first; cycle <= last; cycle++) yield cycle as Cycle;
}

/** Returns the end of a cycle in milliseconds, which is the timestamp of the cycle's snapshot. */
export function cycleEndMs(record: Pick<CycleRecord, "start" | "duration">): number {
  return (record.start + record.duration) * 1000;
}

/**
 * Returns the hash of the network's configuration in a record; `undefined` if the record has none, or has no marker and
 * so proves nothing.
 */
export function networkConfigHashOf(record: CycleRecord): HashHex | undefined {
  const { networkConfigHash } = record.received;
  return record.marker !== undefined && isHashHex(networkConfigHash) ? networkConfigHash : undefined;
}

/** Returns the hash of the network's list of transactions in a record; `undefined` if the record has none. */
export function txListHashOf({ received }: CycleRecord): HashHex | undefined {
  const { txlisthash } = received;
  return isHashHex(txlisthash) ? txlisthash : undefined;
}

/** Returns the hash of a received record without its `marker` and `certificate`: 64 hex digits. */
export function cycleMarker(record: object, hashKey?: string): HashHex {
  const { marker: _marker, certificate: _certificate, ...marked } = record as Record<string, unknown>;
  return hashText(canonicalTextOf(marked), hashKey);
}
