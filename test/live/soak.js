/**
 * A live cluster for as long as it is told: `npm run soak [seconds]`, two minutes by default.
 *
 * Twice: with nine honest validators, and with two that lie, one that is killed in the middle of its export and
 * started again, and one that is slow. At each marked cycle `snapshot-assemble --timestamp latest` has to publish
 * within the cycles until the next; each snapshot has to verify, to hold exactly the total balance, and to equal
 * the state computed from the transaction log. A line for each, and JSON on the last line; ends with 1 where
 * anything was otherwise.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { audit } from "./audit.js";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));
const seconds = Number(process.argv[2] ?? 120);
const cycleSeconds = 2;
const snapshotEvery = 5;

const scenarios = {
  honest: [],
  hostile: ["2:lie-gossip", "2:corrupt-data", "6:lie=5", "7:kill-at=export", "4:slow=500ms"],
};

const results = {};
for (const [name, faults] of Object.entries(scenarios)) results[name] = await soak(name, faults);
process.stdout.write(`${JSON.stringify({ seconds, results })}\n`);
process.exitCode = Object.values(results).every(({ ok }) => ok) ? 0 : 1;

async function soak(name, faults) {
  const scratch = await mkdtemp(join(tmpdir(), "soak-"));
  const directory = join(scratch, "cluster");
  const args = ["cluster", "--live", "--json", "--nodes", "9", "--directory", directory];
  args.push("--cycle-duration", `${cycleSeconds}s`, "--snapshot-every", String(snapshotEvery));
  args.push("--accounts", "2000", "--tx-rate", "200", ...faults.flatMap((fault) => ["--fault", fault]));
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const events = [];
  const started = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line);
      if (event.type === "cluster") resolve(event);
      else events.push(event);
    });
  });
  try {
    const cluster = await Promise.race([
      started,
      once(child, "exit").then(() => Promise.reject(new Error("no cluster"))),
    ]);
    const marks = [];
    const periodMs = cycleSeconds * snapshotEvery * 1000;
    const deadline = cluster.startMs + seconds * 1000;
    for (let mark = cluster.startMs + periodMs; mark <= deadline; mark += periodMs) {
      await sleep(Math.max(0, mark - Date.now()));
      const found = await assembleAt(cluster, mark, join(scratch, "snapshots"), mark + periodMs);
      marks.push(found);
      say(`${name.padEnd(8)} ${mark} ${describe(found)}`);
    }
    const published = marks.filter(({ ok }) => ok);
    const outcome = {
      faults,
      marks: marks.length,
      published: published.length,
      delayMs: {
        median: median(published.map(({ delayMs }) => delayMs)),
        max: Math.max(...published.map(({ delayMs }) => delayMs)),
      },
      accounts: published.at(-1)?.accounts ?? 0,
      events: count(events.map(({ type }) => type)),
      problems: marks.flatMap(({ problems }) => problems),
    };
    return { ok: marks.length > 0 && published.length === marks.length, ...outcome };
  } finally {
    child.kill("SIGINT");
    await once(child, "exit");
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs until the snapshot of that moment is there: until then, `latest` is an older one, or none. */
async function assembleAt(cluster, mark, out, deadline) {
  const args = ["--archiver", cluster.archiverUrl, "--archiver-key", cluster.archiverPublicKey];
  let last = "nothing was tried";
  while (Date.now() < deadline) {
    const run = await cli([...args, "--timestamp", "latest", "--out", out, "--json", "--quiet"]);
    last = run.error?.message ?? `the latest was ${run.timestamp}`;
    if (run.ok && run.timestamp === mark) {
      const delayMs = Date.now() - mark;
      const verified = await cli(["verify", run.directory, "--json"]);
      const audited = await audit(cluster.directory, run.directory);
      const problems = [...audited.problems];
      if (!verified.ok) problems.push(`verify: ${JSON.stringify(verified.findings ?? verified.error)}`);
      if (audited.totalBalance !== cluster.totalBalance) {
        problems.push(`the total is ${audited.totalBalance}, and was ${cluster.totalBalance}`);
      }
      const offences = (run.offences ?? []).length;
      return { ok: problems.length === 0, delayMs, accounts: audited.accounts, offences, problems };
    }
    await sleep(100);
  }
  return { ok: false, delayMs: Number.NaN, problems: [`${mark}: not published until the next: ${last}`] };
}

/** The last line of a command's JSON output. */
async function cli(args) {
  const child = execFile(process.execPath, [command, ...args], { maxBuffer: 64 * 1024 * 1024 });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  await once(child, "close");
  return JSON.parse(output.trimEnd().split("\n").at(-1));
}

function describe({ ok, delayMs, accounts, offences, problems }) {
  if (!ok) return `FAILED: ${problems.join("; ")}`;
  return `published after ${delayMs} ms: ${accounts} accounts, verified, equal to the log; ${offences} offences`;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function count(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
