/** Runs one batch of cases for every fuzz target; `npm run fuzz` runs them for a given time. */

import { appendFileSync } from "node:fs";
import { expect, it } from "vitest";
import { runTarget } from "./fuzz-target.ts";
import { admissionTargets } from "./targets/admission.ts";
import { answerTargets } from "./targets/answers.ts";
import { canonicalTargets } from "./targets/canonical-text.ts";
import { parserTargets } from "./targets/parsers.ts";
import { signatureTargets } from "./targets/signatures.ts";

const all = [
  ...canonicalTargets,
  ...signatureTargets,
  ...answerTargets,
  ...parserTargets,
  ...admissionTargets,
];

const { FUZZ_MINUTES, FUZZ_SEED, FUZZ_TARGET, FUZZ_RESULTS } = process.env;
const targets = all.filter(({ name }) => (FUZZ_TARGET ?? "") === "" || name === FUZZ_TARGET);
const timeMs = (Number(FUZZ_MINUTES ?? 0) * 60_000) / targets.length;

if (targets.length > 0) {
  it.each(targets)("fuzzing finds nothing: $name", async (target) => {
    const deadline = performance.now() + timeMs;
    const result = await runTarget(target, Number(FUZZ_SEED ?? 1), () => performance.now() < deadline);
    if (FUZZ_RESULTS !== undefined) appendFileSync(FUZZ_RESULTS, `${JSON.stringify(result)}\n`);
    expect(result.failure).toBeUndefined();
  });
}
