/**
 * Which cycle records a trusted marker proves (PROTOCOL.md, Cycle records): the record that has it, and each one
 * that `previous` leads to from there. Every marker is computed anew; what a record says of itself counts nothing.
 */

import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";
import { type CycleRecord, cycleMarker } from "../../protocol/cycle-record.ts";

export interface ProvedRecords {
  /** Newest first; empty where no record has the trusted marker. */
  readonly records: readonly CycleRecord[];
}

/** @param trustedMarker of a record that is known from elsewhere */
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
  // No hash contains itself, so this ends.
  for (
    let record = byMarker.get(trustedMarker);
    record !== undefined;
    record = record.previous === undefined ? undefined : byMarker.get(record.previous)
  ) {
    proved.push(record);
  }
  return { records: proved };
}

/** The marker of a record; `undefined` where it has no canonical text, so that nobody can have hashed it. */
function markerOf(record: CycleRecord, hashKey?: string): string | undefined {
  try {
    return cycleMarker(record.received, hashKey);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}
