/**
 * Breaks each system call of a replacement: `npm run broken-calls -- [options]`. It needs strace.
 *
 * A replacement is a run that repairs a damaged published snapshot. Its system calls on the directory of the snapshots
 * are recorded first. Then the run is repeated once for each call that changes a file, and killed at that call; and
 * once for each call and each of ENOSPC, EDQUOT, EIO, EROFS and EMFILE, with which that call fails once.
 *
 * After a kill and after an error, all intact artifacts must still exist, and the next run must end with 0, publish the
 * right snapshot, fetch no intact artifact, and leave nothing else behind. An error must end the run with the status of
 * the disk and name its cause, or have no effect; and the published snapshot must be the older one, unchanged, or the
 * right one.
 *
 *   --kinds <list>   of kill, ENOSPC, EDQUOT, EIO, EROFS, EMFILE (default: all)
 *   --calls <list>   of system calls (default: all)
 *   --reads          errors also at calls that change nothing
 *   --reads-only     errors at those calls alone
 *   --every <k>      one of k points, chosen by the seed (default: 1)
 *   --seed <n>       (default: 1)
 *   --jobs <n>       concurrent runs (default: 2)
 *
 * Prints a line for each defect, and JSON on the last line. Ends with 1 if it finds a defect.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ClusterDescription } from "../../dist/testnet/cluster/cluster.js";
import { commandPath, end, firstLine } from "../command.ts";
import { print } from "../measure.ts";
import { prepare, publishedProblems, type Replacement, tryPoint } from "./break-trial.ts";
import { publishedState } from "./published-state.ts";
import {
  type BreakPoint,
  describePoint,
  errorCodes,
  parseCalls,
  type SystemCall,
  selectPoints,
  tracedCalls,
} from "./system-calls.ts";
import { assemble } from "./traced-run.ts";

const { values: flags } = parseArgs({
  options: {
    kinds: { type: "string", default: ["kill", ...errorCodes].join() },
    calls: { type: "string" },
    reads: { type: "boolean", default: false },
    "reads-only": { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
  },
});

/** One partition is empty, so that a run writes its artifact without a request. */
const fixture = {
  name: "broken-calls",
  description: "Four validators with little state.",
  seed: "broken-calls",
  nodes: 4,
  nodesPerConsensusGroup: 3,
  nodesPerEdge: 0,
  accounts: 60,
  accountBytes: 100,
  globalAccounts: 3,
  emptyPartitions: [3],
  cycles: 12,
  cycleDuration: 60,
  snapshotCycle: 8,
  // The schema requires it; a cluster does not use it.
  expect: { exitStatus: 3 },
};
/** A leftover of a killed run for another snapshot. */
const otherPartial = ".snapshot-1600000000000.partial";

if (spawnSync("strace", ["--version"]).status !== 0) {
  warn(
    "error: strace is missing\nhint: Install it (apt-get install strace, dnf install strace), and run again.",
  );
  process.exit(2);
}
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "broken-calls-")));
/** A signal ends the trials; the results so far are printed. */
let isInterrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    isInterrupted = true;
  });
}
const cluster = startCluster();
try {
  const replacement = await makeReplacement(JSON.parse(await firstLine(cluster.stdout)));
  const calls = await recordCalls(replacement);
  const points = selectPoints(calls, {
    kinds: flags.kinds.split(","),
    calls: flags.calls?.split(","),
    reads: flags["reads-only"] ? "only" : flags.reads ? "included" : "excluded",
    every: Number(flags.every),
    seed: flags.seed,
  });
  warn(`${calls.length} calls on the directory of the snapshots, ${points.length} points`);
  const { results, left } = await tryAll(points, replacement);
  print(JSON.stringify({ calls: calls.length, points: points.length, left, results }));
  process.exitCode = Object.values(results).some(({ wrong = 0 }) => wrong > 0) ? 1 : 0;
} finally {
  await stopCluster(cluster);
  rmSync(scratch, { recursive: true, force: true });
}

function startCluster() {
  const file = join(scratch, "fixture.json");
  writeFileSync(file, JSON.stringify(fixture));
  // In a group of its own: a Ctrl-C goes to this process alone, so that the runs in progress can end.
  return spawn(process.execPath, [commandPath, "cluster", file, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
}

async function stopCluster(child: ChildProcess): Promise<void> {
  await end(child, "SIGINT");
}

async function makeReplacement(network: ClusterDescription): Promise<Replacement> {
  const timestamp = String(network.snapshotTimestamp);
  const args = ["--archiver", network.archiverUrl, "--timestamp", timestamp, "--json"];
  const name = `snapshot-${timestamp}`;
  const pristine = join(scratch, "pristine");
  const first = await assemble(args, pristine);
  if (first.status !== 0) throw new Error(`the first run ended with ${first.status}: ${first.stderr}`);
  const damaged = join(scratch, "damaged");
  damage(pristine, damaged, name);
  return { args, name, damaged, right: publishedState(join(pristine, name)) };
}

/** Changes one artifact, removes another, and adds a leftover of another snapshot. */
function damage(pristine: string, damaged: string, name: string): void {
  cpSync(pristine, damaged, { recursive: true });
  const artifact = join(damaged, name, "partition-00001.json");
  const bytes = readFileSync(artifact);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(artifact, bytes);
  rmSync(join(damaged, name, "partition-00002.json"));
  mkdirSync(join(damaged, otherPartial));
  writeFileSync(join(damaged, otherPartial, "partition-00000.json"), "[]");
}

/** Returns the system calls of an undisturbed replacement, in order. */
async function recordCalls(replacement: Replacement): Promise<SystemCall[]> {
  const directory = join(scratch, "recorded");
  const out = prepare(replacement, directory);
  const log = join(directory, "calls");
  const tracing = ["-f", "--seccomp-bpf", "-y", "-o", log, "-e", `trace=${tracedCalls}`];
  const run = await assemble(replacement.args, out, tracing);
  const problems = publishedProblems(out, replacement);
  if (run.status !== 0 || problems.length > 0) {
    throw new Error(`the undisturbed run ended with ${run.status}: ${run.stderr} ${problems.join("; ")}`);
  }
  return parseCalls(readFileSync(log, "latin1"), out);
}

/** Returns, for each kind, how often each result occurred. */
async function tryAll(points: readonly BreakPoint[], replacement: Replacement) {
  const results: Record<string, Record<string, number>> = {};
  const queue = [...points];
  const progress = setInterval(() => warn(`${queue.length} points are left`), 60_000);
  const work = async (job: number) => {
    const directory = join(scratch, `job-${job}`);
    for (let point = queue.shift(); point !== undefined && !isInterrupted; point = queue.shift()) {
      const { result, problems } = await tryPoint(point, replacement, directory);
      const counts = results[point.kind] ?? {};
      counts[result] = (counts[result] ?? 0) + 1;
      results[point.kind] = counts;
      for (const problem of problems) warn(`${describePoint(point)}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: Number(flags.jobs) }, (_, job) => work(job)));
  clearInterval(progress);
  if (isInterrupted) warn(`interrupted with ${queue.length} points left`);
  return { results, left: queue.length };
}

function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}
