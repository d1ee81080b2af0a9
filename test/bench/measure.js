/** What all benchmarks measure and print with. */

import { cpus } from "node:os";

/** What figures cannot be compared without. */
export const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };

/** Milliseconds. */
export async function time(action) {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

export function median(times) {
  return Math.round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)]);
}

export function say(line) {
  process.stdout.write(`${line}\n`);
}
