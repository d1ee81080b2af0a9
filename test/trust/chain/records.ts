/** Cycle records as tests need them: a minute each, without what only a chain needs. */

import type { CycleRecord } from "../../../src/protocol/cycle-record.ts";

/** Seconds. */
export const firstStart = 1_700_000_000;
export const duration = 60;

/** The end of a cycle, milliseconds, where cycle 0 starts at {@link firstStart}. */
export function endOf(counter: number): number {
  return (firstStart + (counter + 1) * duration) * 1000;
}

export function recordOf(counter: number, changes: Partial<CycleRecord> = {}): CycleRecord {
  const start = firstStart + counter * duration;
  return { counter, start, duration, active: 9, networkDataHash: [], received: {}, ...changes };
}

export function recordsOf(first: number, last: number): CycleRecord[] {
  return Array.from({ length: last - first + 1 }, (_, index) => recordOf(first + index));
}
