/**
 * Fuzzes for a given time: `npm run fuzz -- --minutes 5 [--seed N] [--target name]`.
 *
 * Each target in `targets/` runs for the same time. The same seed generates the same cases in the same order. Prints the
 * number of cases of each target, and for a failure the seed, the shortened input, and the file with the whole input. Ends
 * with 1 where a target fails.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");

/** The time to start, to shorten a failing input, and to end. A case that takes longer hangs. */
const graceMs = 180_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    target: { type: "string", default: "" },
  },
});
const isUsable = Number(values.minutes) > 0 && /^\d{1,10}$/.test(values.seed);
if (!isUsable) {
  process.stderr.write("usage: npm run fuzz -- --minutes <number> [--seed <number>] [--target <name>]\n");
  process.exit(2);
}

process.stdout.write(`seed ${values.seed}, ${values.minutes} minutes\n`);
const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
const results = join(scratch, "results.jsonl");
const env = {
  ...process.env,
  FUZZ_MINUTES: values.minutes,
  FUZZ_SEED: values.seed,
  FUZZ_TARGET: values.target,
  FUZZ_RESULTS: results,
};
const args = [vitest, "run", "test/fuzz/fuzz.test.ts", "--testTimeout=0", "--reporter=dot", "--no-color"];
const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
const output = [];
child.stdout.on("data", (chunk) => output.push(chunk));
let isHanging = false;
const watchdog = setTimeout(
  () => {
    isHanging = true;
    child.kill("SIGKILL");
  },
  Number(values.minutes) * 60_000 + graceMs,
);
const [status] = await once(child, "close");
clearTimeout(watchdog);

const lines = readResults();
for (const { target, cases, failure } of lines) {
  process.stdout.write(`${target}: ${cases} cases${failure === undefined ? "" : ", FAILED"}\n`);
  if (failure === undefined) continue;
  process.stdout.write(`  ${failure.problem}\n  input: ${failure.input}\n  whole input: ${failure.file}\n`);
  process.stdout.write(
    `  again: npm run fuzz -- --minutes ${values.minutes} --seed ${values.seed} --target "${target}"\n`,
  );
}
if (isHanging) process.stdout.write("a case of the next target did not end\n");
// A crash of the process that runs the targets is a failure too, and leaves no result.
if (status !== 0 && lines.every(({ failure }) => failure === undefined)) {
  process.stdout.write(Buffer.concat(output));
}
if (lines.length === 0) process.stdout.write(`unknown target "${values.target}"\n`);
rmSync(scratch, { recursive: true });
process.exitCode = status === 0 && lines.length > 0 ? 0 : 1;

function readResults() {
  try {
    return readFileSync(results, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}
