/**
 * The cycle chain (PROTOCOL.md, Cycle records): each record names its own hash and that of the record
 * before. Archivers can leave records out, but not change one without breaking a hash.
 */

import { type CycleRecord, cycleMarker } from "../model/cycle.ts";

export interface ChainFinding {
  /** `broken` disproves a record; `gap` only leaves something unsaid. */
  readonly severity: "broken" | "gap";
  readonly cycle: number;
  readonly problem: string;
}

/** @param records ascending by number */
export function checkChain(records: readonly CycleRecord[], hashKey?: string): ChainFinding[] {
  const findings: ChainFinding[] = [];
  records.forEach((record, index) => {
    findings.push(...checkMarker(record, hashKey));
    const before = records[index - 1];
    if (before !== undefined) findings.push(...checkLink(before, record));
  });
  return findings;
}

function checkMarker(record: CycleRecord, hashKey?: string): ChainFinding[] {
  const cycle = record.counter;
  if (record.marker === undefined) {
    return [{ severity: "gap", cycle, problem: `record ${cycle} has no marker, so it cannot be checked` }];
  }
  const marker = cycleMarker(record.received, hashKey);
  if (marker === record.marker) return [];
  const problem = `record ${cycle} says that its hash is ${record.marker}, but it is ${marker}`;
  return [{ severity: "broken", cycle, problem }];
}

function checkLink(before: CycleRecord, record: CycleRecord): ChainFinding[] {
  const cycle = record.counter;
  if (cycle === before.counter) {
    const problem = `there are two records of cycle ${cycle}: a fork`;
    return [{ severity: "broken", cycle, problem }];
  }
  if (cycle > before.counter + 1) {
    const problem = `records ${before.counter + 1} to ${cycle - 1} are missing`;
    return [{ severity: "gap", cycle, problem }];
  }
  const findings: ChainFinding[] = [];
  if (before.marker !== undefined && record.previous !== undefined && record.previous !== before.marker) {
    const problem = `record ${cycle} follows ${record.previous}, but record ${before.counter} is ${before.marker}`;
    findings.push({ severity: "broken", cycle, problem });
  }
  if (record.start < before.start + before.duration) {
    const problem = `record ${cycle} starts at ${record.start}, before record ${before.counter} ends at ${before.start + before.duration}`;
    findings.push({ severity: "gap", cycle, problem });
  }
  return findings;
}

/** What the chain says of a cycle's network hash: every different hash that a record names for it. */
export function recordedNetworkHashes(records: readonly CycleRecord[], cycle: number): string[] {
  const named = records.flatMap((record) => record.networkDataHash.filter((entry) => entry.cycle === cycle));
  return [...new Set(named.map((entry) => entry.hash))];
}
