/** Timing, medians, and the description of the machine, for all benchmarks. */

import { cpus } from "node:os";

/** Figures of different machines are not comparable. */
export const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };

/** Returns the duration of an action in milliseconds. */
export async function timeMs(action: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

/** Returns the rounded median. */
export function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
