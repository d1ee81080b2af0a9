/** Assembles the latest snapshot of a network, and verifies it: `node examples/assemble.mjs <archiver> <out>`. */

import { assemble, SnapshotError, verifySnapshot } from "snapshot-assemble";

const [archiver, out] = process.argv.slice(2);

// The first Ctrl-C ends the run cleanly. The next run fetches only what is missing.
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const reporter = {
  report(event) {
    if (event.type === "stage") console.error(event.message);
    if (event.type === "warning") console.error(`warning: ${event.message}`);
    if (event.type === "offence") console.error(`offence: ${event.offence.kind} by ${event.offence.node}`);
  },
};

try {
  const { directory, digest, accounts } = await assemble({
    archiver,
    out,
    timestamp: "latest",
    reporter,
    signal: stop.signal,
  });
  console.log(`published ${accounts} accounts in ${directory}`);
  const { ok, findings } = await verifySnapshot(directory);
  for (const { file, problem } of findings) console.log(`${file}: ${problem}`);
  console.log(`verified: ${ok}`);
  console.log(`digest: ${digest}`);
} catch (error) {
  // Each expected failure has a code for programs and a hint for people. Anything else is a bug.
  if (!(error instanceof SnapshotError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  if (error.hint !== undefined) console.error(error.hint);
  process.exitCode = 1;
}
