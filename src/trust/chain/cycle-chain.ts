/**
 * Checks the cycle chain (PROTOCOL.md, Cycle records): each record contains its own hash and that of the previous record.
 * An archiver can omit records, but cannot change one without breaking a hash.
 */

import type { Cycle } from "../../protocol/brands.ts";
import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";
import { type CycleRecord, cycleMarker } from "../../protocol/cycle-record.ts";
import { quoted } from "../../wire/parse.ts";

export interface ChainFinding {
  /** `broken` disproves a record; `gap` only leaves something unproved. */
  readonly severity: "broken" | "gap";
  readonly cycle: Cycle;
  readonly problem: string;
}

/** @param records ascending by number */
export function checkChain(records: readonly CycleRecord[], hashKey?: string): ChainFinding[] {
  const findings: ChainFinding[] = [];
  const markers = records.map((record) => trueMarker(record, hashKey));
  records.forEach((record, index) => {
    findings.push(...checkMarker(record, markers[index]));
    const before = records[index - 1];
    if (before === undefined) return;
    const isRepeated = before.counter === record.counter && markers[index - 1] === markers[index];
    if (isRepeated) findings.push(repeated(record));
    else findings.push(...checkLink(before, markers[index - 1], record));
  });
  return findings;
}

function repeated({ counter: cycle }: CycleRecord): ChainFinding {
  return { severity: "gap", cycle, problem: `record ${cycle} is listed twice` };
}

/** Returns the computed hash of a record; `undefined` if the record has no canonical text. */
function trueMarker({ received }: CycleRecord, hashKey?: string): string | undefined {
  try {
    return cycleMarker(received, hashKey);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}

function checkMarker({ counter: cycle, marker }: CycleRecord, computed: string | undefined): ChainFinding[] {
  if (computed === undefined) {
    return [{ severity: "broken", cycle, problem: `record ${cycle} has no canonical text` }];
  }
  if (marker === undefined) {
    return [{ severity: "gap", cycle, problem: `record ${cycle} has no marker, so it cannot be checked` }];
  }
  if (marker === computed) return [];
  const problem = `record ${cycle} states the hash ${quoted(marker)}, but its hash is ${computed}`;
  return [{ severity: "broken", cycle, problem }];
}

/** @param computed the hash of the previous record, which is checked even if that record states no marker */
function checkLink(before: CycleRecord, computed: string | undefined, record: CycleRecord): ChainFinding[] {
  const marker = before.marker ?? computed;
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
  if (isRestart(before, record)) {
    const problem = `the network was shut down after record ${before.counter} and restarted with record ${cycle}: nothing proves that link`;
    findings.push({ severity: "gap", cycle, problem });
  } else if (marker !== undefined && record.previous !== undefined && record.previous !== marker) {
    const problem = `record ${cycle} follows ${quoted(record.previous)}, but record ${before.counter} is ${marker}`;
    findings.push({ severity: "broken", cycle, problem });
  }
  if (record.start < before.start + before.duration) {
    const problem = `record ${cycle} starts at ${record.start}, before record ${before.counter} ends at ${before.start + before.duration}`;
    findings.push({ severity: "gap", cycle, problem });
  }
  return findings;
}

/**
 * Returns whether a link is that of a restart (PROTOCOL.md, Cycle records). The first node of the restarted network
 * hashes the shutdown record with its marker and with local settings that no record states.
 */
function isRestart(before: CycleRecord, record: CycleRecord): boolean {
  return before.received["mode"] === "shutdown" && record.received["mode"] === "restart";
}

/** Returns the distinct network hashes that records name for a cycle. */
export function recordedNetworkHashes(records: readonly CycleRecord[], cycle: Cycle): string[] {
  const named = records.flatMap((record) => record.networkDataHash.filter((entry) => entry.cycle === cycle));
  return [...new Set(named.map((entry) => entry.hash))];
}
