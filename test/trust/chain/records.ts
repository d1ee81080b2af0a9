/** Minimal cycle records of one minute each. */

import { asCycle } from "../../../src/protocol/brands.ts";
import type { CycleRecord } from "../../../src/protocol/cycle-record.ts";

/** Seconds. */
export const firstStart = 1_700_000_000;
export const duration = 60;

/** The end of a cycle in milliseconds; cycle 0 starts at {@link firstStart}. */
export function endOf(counter: number): number {
  return (firstStart + (counter + 1) * duration) * 1000;
}

export function recordOf(counter: number, changes: Partial<CycleRecord> = {}): CycleRecord {
  const start = firstStart + counter * duration;
  return {
    counter: asCycle(counter),
    start,
    duration,
    active: 9,
    networkDataHash: [],
    received: {},
    ...changes,
  };
}

export function recordsOf(first: number, last: number): CycleRecord[] {
  return Array.from({ length: last - first + 1 }, (_, index) => recordOf(first + index));
}
