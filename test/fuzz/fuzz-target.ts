/** A fuzz target: one property, tested with random input for a bounded time. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";

/** A target: its input, and the property that must hold for it. */
export interface FuzzTarget {
  readonly name: string;
  /** The property, with a bound on each case's time. */
  readonly property: fc.IAsyncProperty<[unknown]>;
  /** Returns an input as text, for the file of a failure. */
  readonly show: (input: unknown) => string;
}

/** The result of one target. */
export interface FuzzResult {
  readonly target: string;
  readonly cases: number;
  readonly failure?: { readonly problem: string; readonly input: string; readonly file: string };
}

/** CPU time, which other processes do not change. Exponential work takes far longer. */
const caseCpuMaxMs = 5_000;
const memoryMaxBytes = 1024 ** 3;

const casesPerBatch = 100;
const shownCharacters = 300;

/**
 * @param check throws where the property does not hold
 * @param show the input as text, to reproduce a failure
 */
export function fuzzTarget<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
  show: (input: T) => string = String,
): FuzzTarget {
  const property = fc.asyncProperty(inputs, async (input) => {
    const startedAt = process.cpuUsage();
    await check(input);
    const { user, system } = process.cpuUsage(startedAt);
    const cpuMs = (user + system) / 1000;
    if (cpuMs > caseCpuMaxMs) throw new Error(`it took ${Math.round(cpuMs)} ms of CPU time`);
    const { rss } = process.memoryUsage();
    if (rss > memoryMaxBytes) throw new Error(`the process has ${Math.round(rss / 1024 ** 2)} MiB`);
  });
  return {
    name,
    property: property as unknown as fc.IAsyncProperty<[unknown]>,
    show: (input) => show(input as T),
  };
}

/** Runs batches of cases while `shouldContinue` returns `true`, and at least one. */
export async function runTarget(
  { name, property, show }: FuzzTarget,
  seed: number,
  shouldContinue: () => boolean,
): Promise<FuzzResult> {
  let cases = 0;
  for (let batch = 0; batch === 0 || shouldContinue(); batch++) {
    const details = await fc.check(property, { seed: seed + batch, numRuns: casesPerBatch });
    cases += details.numRuns;
    if (!details.failed) continue;
    const input = show(details.counterexample?.[0]);
    const file = join(mkdtempSync(join(tmpdir(), "fuzz-input-")), "input.txt");
    writeFileSync(file, input);
    const problem = `seed ${seed + batch}: ${String(details.errorInstance)}`;
    const shown = input.length > shownCharacters ? `${input.slice(0, shownCharacters)}…` : input;
    return { target: name, cases, failure: { problem, input: shown, file } };
  }
  return { target: name, cases };
}
