/**
 * Runs live clusters for some time: `npm run soak -- [seconds]`, two minutes by default.
 *
 * The first cluster has nine honest validators. In the second one, two validators lie, one is killed in the middle of
 * its export and restarted, and one is slow. In the third one, every third cycle a validator joins, leaves or dies, and
 * one lies. At each marked cycle `snapshot-assemble --timestamp latest` has to publish before the next one, with the
 * snapshot of the mark before as its seed. Each snapshot has to verify, to hold exactly the total balance, and to equal
 * the state computed from the transaction log. Prints a line for each, and JSON on the last line. Ends with 1 where a
 * check fails.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Findings, RunSummary } from "../../dist/index.js";
import { commandPath, lastLine } from "../command.ts";
import { median, print } from "../measure.ts";
import { audit } from "./audit.ts";
import { type RunningCluster, startLiveCluster } from "./live-cluster.ts";

const seconds = Number(process.argv[2] ?? 120);
const cycleSeconds = 2;
const snapshotEvery = 5;
const periodMs = cycleSeconds * snapshotEvery * 1000;
const outputBytesMax = 64 * 1024 * 1024;

/** What the command line adds to its JSON summary. */
interface CommandSummary {
  readonly ok: boolean;
  readonly error?: { readonly message: string };
}

type Mark =
  | {
      readonly kind: "published";
      readonly delayMs: number;
      readonly accounts: number;
      readonly offences: number;
      readonly bytes: RunSummary["bytes"];
      readonly problems: readonly string[];
    }
  | { readonly kind: "missed"; readonly problems: readonly string[] };

interface Scenario {
  readonly faults: readonly string[];
  /** The number of cycles between two changes of the nodes. */
  readonly churnEvery?: number;
}

const scenarios = {
  honest: { faults: [] },
  hostile: { faults: ["2:lie-gossip", "2:corrupt-data", "6:lie=5", "7:kill-at=export", "4:slow=500ms"] },
  churning: { faults: ["2:lie-gossip", "2:corrupt-data"], churnEvery: 3 },
};

const results = {
  honest: await soak("honest", scenarios.honest),
  hostile: await soak("hostile", scenarios.hostile),
  churning: await soak("churning", scenarios.churning),
};
print(JSON.stringify({ seconds, results }));
process.exitCode = Object.values(results).every(({ ok }) => ok) ? 0 : 1;

async function soak(name: string, { faults, churnEvery }: Scenario) {
  const scratch = await mkdtemp(join(tmpdir(), "soak-"));
  const args = ["--nodes", "9", "--directory", join(scratch, "cluster")];
  args.push("--cycle-duration", `${cycleSeconds}s`, "--snapshot-every", String(snapshotEvery));
  args.push("--accounts", "10000", "--tx-rate", "40", ...faults.flatMap((fault) => ["--fault", fault]));
  if (churnEvery !== undefined) args.push("--churn", String(churnEvery));
  const cluster = await startLiveCluster(args);
  try {
    const marks: Mark[] = [];
    const deadlineMs = cluster.startMs + seconds * 1000;
    for (let markMs = cluster.startMs + periodMs; markMs <= deadlineMs; markMs += periodMs) {
      await sleep(Math.max(0, markMs - Date.now()));
      const mark = await assembleAt(cluster, markMs, join(scratch, "snapshots"), marks.length > 0);
      marks.push(mark);
      process.stderr.write(`${name.padEnd(8)} ${markMs} ${describe(mark)}\n`);
    }
    return { ...resultOf(marks, cluster), faults, churnEvery };
  } finally {
    await cluster.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

function resultOf(marks: readonly Mark[], { events }: RunningCluster) {
  const published = marks.flatMap((mark) =>
    mark.kind === "published" && mark.problems.length === 0 ? [mark] : [],
  );
  const delaysMs = published.map(({ delayMs }) => delayMs);
  return {
    ok: marks.length > 0 && published.length === marks.length,
    marks: marks.length,
    published: published.length,
    delayMs: { median: median(delaysMs), max: Math.max(...delaysMs) },
    accounts: published.at(-1)?.accounts ?? 0,
    /** Of the marks after the first, which has no seed. */
    receivedPercent: median(
      published.slice(1).map(({ bytes: { received, seeded } }) => (100 * received) / (received + seeded)),
    ),
    nodes: nodeCounts(events),
    events: countsOf(events.map(({ type }) => type)),
    problems: marks.flatMap(({ problems }) => problems),
  };
}

/** The numbers of nodes after each change. */
function nodeCounts(events: RunningCluster["events"]): number[] {
  return events.flatMap((event) => ("nodes" in event ? [event.nodes] : []));
}

/**
 * Assembles until the snapshot of a mark is published: before, `latest` is an older one, or none.
 *
 * @param isSeeded whether `out` has the snapshot of an earlier mark
 */
async function assembleAt(
  cluster: RunningCluster,
  markMs: number,
  out: string,
  isSeeded: boolean,
): Promise<Mark> {
  const args = ["--archiver", cluster.archiverUrl, "--archiver-key", cluster.archiverPublicKey];
  args.push("--timestamp", "latest", "--out", out, "--json", "--quiet");
  let last = "no run ended";
  while (Date.now() < markMs + periodMs) {
    const run: RunSummary & CommandSummary = JSON.parse(await runCommand(args));
    last = run.error?.message ?? `the latest was ${run.timestamp}`;
    if (run.ok && run.timestamp === markMs && run.directory !== null) {
      const delayMs = Date.now() - markMs;
      const unused = isSeeded && run.bytes.seeded === 0 ? ["the snapshot before was not used"] : [];
      return await check(cluster, run, run.directory, delayMs, unused);
    }
    await sleep(100);
  }
  return { kind: "missed", problems: [`${markMs}: not published before the next mark: ${last}`] };
}

async function check(
  cluster: RunningCluster,
  run: RunSummary,
  directory: string,
  delayMs: number,
  found: readonly string[],
): Promise<Mark> {
  const verified: Findings & CommandSummary = JSON.parse(await runCommand(["verify", directory, "--json"]));
  const audited = await audit(cluster.directory, directory);
  const problems = [...found, ...audited.problems];
  if (!verified.ok) problems.push(`verify: ${JSON.stringify(verified.findings ?? verified.error)}`);
  if (audited.totalBalance !== cluster.totalBalance) {
    problems.push(`the total is ${audited.totalBalance}, expected ${cluster.totalBalance}`);
  }
  const { accounts } = audited;
  return { kind: "published", delayMs, accounts, offences: run.offences.length, bytes: run.bytes, problems };
}

/** Runs the command line. Returns the last line of its output, whatever its exit status. */
async function runCommand(args: readonly string[]): Promise<string> {
  const command = promisify(execFile)(process.execPath, [commandPath, ...args], {
    maxBuffer: outputBytesMax,
  });
  const { stdout } = await command.catch((error: Error & { stdout: string }) => error);
  return lastLine(stdout);
}

function describe(mark: Mark): string {
  if (mark.kind === "missed" || mark.problems.length > 0) return `FAILED: ${mark.problems.join("; ")}`;
  const { delayMs, accounts, offences, bytes } = mark;
  const whence = `${bytes.received} bytes received, ${bytes.seeded} from seeds`;
  return `published after ${delayMs} ms: ${accounts} accounts, ${whence}, verified, equal to the log; ${offences} offences`;
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
