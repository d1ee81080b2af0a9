/**
 * Finds the cycle records that a trusted marker proves (PROTOCOL.md, Cycle records): the record with that marker, and the
 * records that are linked from it by `previous`. Markers are computed; those that records state are ignored.
 */

import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";
import { type CycleRecord, cycleMarker } from "../../protocol/cycle-record.ts";

export interface ProvedRecords {
  /** Newest first; empty if no record has the trusted marker. */
  readonly records: readonly CycleRecord[];
}

/** @param trustedMarker the marker of a record from a trusted source */
export function provedRecords(
  records: readonly CycleRecord[],
  trustedMarker: string,
  hashKey?: string,
): ProvedRecords {
  const byMarker = new Map<string, CycleRecord>();
  for (const record of records) {
    const marker = markerOf(record, hashKey);
    if (marker !== undefined) byMarker.set(marker, record);
  }
  const proved: CycleRecord[] = [];
  // No hash contains itself, so the loop ends.
  for (
    let record = byMarker.get(trustedMarker);
    record !== undefined;
    record = record.previous === undefined ? undefined : byMarker.get(record.previous)
  ) {
    proved.push(record);
  }
  return { records: proved };
}

/** Returns the marker of a record; `undefined` if the record has no canonical text. */
function markerOf(record: CycleRecord, hashKey?: string): string | undefined {
  try {
    return cycleMarker(record.received, hashKey);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}
