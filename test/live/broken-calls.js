/**
 * Breaks each system call of a replacement: `npm run broken-calls -- [options]`. It needs strace.
 *
 * A replacement is a run that repairs a damaged published snapshot. Its calls on the directory of the snapshots are
 * recorded first. Then the run is repeated once for each call that changes a file, and killed at that call; and once
 * for each call and each of ENOSPC, EDQUOT, EIO, EROFS and EMFILE, with which that call fails once.
 *
 * After a kill and after an error, what was right must be there, and the next run must end with 0, publish the right
 * snapshot, fetch nothing that was right, and leave nothing else behind. An error must end the run with the status of
 * the disk and name its cause, or must not matter; and the published snapshot must be the older one, unchanged, or
 * the right one.
 *
 *   --kinds <list>   of kill, ENOSPC, EDQUOT, EIO, EROFS, EMFILE (default: all)
 *   --calls <list>   of system calls (default: all)
 *   --reads          errors also at calls that change nothing
 *   --reads-only     errors at those calls alone
 *   --every <k>      one of k points, chosen by the seed (default: 1)
 *   --seed <n>       (default: 1)
 *   --jobs <n>       runs at the same time (default: 2)
 *
 * A line for each point where something is wrong, and JSON on the last line; ends with 1 where anything is wrong.
 */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { verifySnapshot } from "../../dist/index.js";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

const changing = ["write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "rename"];
changing.push("renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat");
changing.push(
  "symlink",
  "symlinkat",
  "chmod",
  "fchmod",
  "fchmodat",
  "chown",
  "fchown",
  "lchown",
  "utimensat",
);
changing.push("copy_file_range", "sendfile", "fallocate");
const reading = ["read", "readv", "pread64", "getdents64", "statx", "stat", "lstat", "fstat", "newfstatat"];
reading.push("statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink", "fcntl");
const errors = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE"];

const { values: flags } = parseArgs({
  options: {
    kinds: { type: "string", default: ["kill", ...errors].join() },
    calls: { type: "string" },
    reads: { type: "boolean", default: false },
    "reads-only": { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
  },
});

/** One partition is empty, so that its artifact is written rather than fetched or taken over. */
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
  // Not looked at by a cluster.
  expect: { exitStatus: 3 },
};
/** What a message says of them. */
const meanings = {
  ENOSPC: /no space is left on the disk|ENOSPC/,
  EDQUOT: /quota of the disk is used up|EDQUOT/,
  EIO: /EIO|i\/o error/i,
  EROFS: /EROFS|read-?only/i,
  EMFILE: /EMFILE|too many open files/i,
};
/** The warning of the damage. */
const warningsOfDamage = 1;
/** How often a point is tried until its call is met: other runs may come to it in another order. */
const attemptsMax = 3;
/** What a run that was killed has left of another snapshot. */
const strangerDirectory = ".snapshot-1600000000000.partial";

if (spawnSync("strace", ["--version"]).status !== 0) {
  say(
    "error: strace is missing\nhint: Install it (apt-get install strace, dnf install strace), and run again.",
  );
  process.exit(2);
}
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "broken-calls-")));
let cluster;
/** Where a signal has ended it, the points so far are told all the same. */
let isEnded = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isEnded = true;
  });
}
try {
  process.exitCode = await main();
} finally {
  cluster?.kill("SIGINT");
  rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  const network = await startCluster();
  const args = [
    "--archiver",
    network.archiverUrl,
    "--timestamp",
    String(network.snapshotTimestamp),
    "--json",
  ];
  const name = `snapshot-${network.snapshotTimestamp}`;
  const pristine = join(scratch, "pristine");
  const made = await assemble(args, pristine);
  if (made.status !== 0) throw new Error(`the first run ended with ${made.status}: ${made.stderr}`);
  const damaged = join(scratch, "damaged");
  damage(pristine, damaged, name);
  const context = {
    args,
    name,
    damaged,
    right: stateOf(join(pristine, name)),
    older: treeOf(join(damaged, name)),
    keptByDamage: rightPartitions(join(damaged, name), stateOf(join(pristine, name))),
  };
  const calls = await recordCalls(context);
  const points = sampled(pointsOf(calls));
  say(`${calls.length} calls on the directory of the snapshots, ${points.length} points`);
  const results = {};
  const queue = [...points];
  const progress = setInterval(() => say(`${queue.length} points are left`), 60_000);
  await Promise.all(
    Array.from({ length: Number(flags.jobs) }, async (_, job) => {
      for (let point = queue.shift(); point !== undefined && !isEnded; point = queue.shift()) {
        const { outcome, problems } = await tryPoint(point, context, join(scratch, `job-${job}`));
        results[point.kind] ??= {};
        const counts = results[point.kind];
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        for (const problem of problems) say(`${describe(point)}: ${problem}`);
      }
    }),
  );
  clearInterval(progress);
  if (isEnded) say(`ended with ${queue.length} points left`);
  process.stdout.write(
    `${JSON.stringify({ calls: calls.length, points: points.length, left: queue.length, results })}\n`,
  );
  return Object.values(results).some(({ wrong }) => wrong > 0) ? 1 : 0;
}

async function startCluster() {
  const file = join(scratch, "fixture.json");
  writeFileSync(file, JSON.stringify(fixture));
  // A Ctrl-C is for this process alone, which lets the runs under way come to their ends.
  cluster = spawn(process.execPath, [command, "cluster", file, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const [line] = await once(createInterface({ input: cluster.stdout }), "line");
  return JSON.parse(line);
}

/** One artifact is changed, another one is missing, and a killed run has left something of another snapshot. */
function damage(pristine, damaged, name) {
  cpSync(pristine, damaged, { recursive: true });
  const artifact = join(damaged, name, "partition-00001.json");
  const bytes = readFileSync(artifact);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(artifact, bytes);
  rmSync(join(damaged, name, "partition-00002.json"));
  mkdirSync(join(damaged, strangerDirectory));
  writeFileSync(join(damaged, strangerDirectory, "partition-00000.json"), "[]");
}

/** The calls of an undisturbed replacement, in order. */
async function recordCalls(context) {
  const directory = join(scratch, "recorded");
  const out = prepare(context, directory);
  const log = join(directory, "calls");
  const traced = ["openat", "open", ...changing, ...reading].map((call) => `?${call}`).join();
  const run = await assemble(context.args, out, [
    "-f",
    "--seccomp-bpf",
    "-y",
    "-o",
    log,
    "-e",
    `trace=${traced}`,
  ]);
  const problems = publishedProblems(out, context, true);
  if (run.status !== 0 || problems.length > 0) {
    throw new Error(`the undisturbed run ended with ${run.status}: ${run.stderr} ${problems.join("; ")}`);
  }
  const seen = new Map();
  const calls = [];
  let first;
  for (const line of readFileSync(log, "latin1").split("\n")) {
    const [, thread, call, rest] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    if (call === undefined) continue;
    first ??= thread;
    const isMain = thread === first;
    const given = rest.replace(/\) += .*$/, "");
    const paths = [...given.matchAll(/(?:"|\d<)([^">]*)[">]/g)].map(([, path]) => path);
    const within = [...new Set(paths.filter((path) => path === out || path.startsWith(`${out}/`)))];
    for (const path of within) {
      const key = `${isMain} ${call} ${path}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const [path] = within;
    if (path === undefined) continue;
    const isChanging =
      changing.includes(call) || (call.startsWith("open") && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(given));
    calls.push({
      call,
      path: path.slice(out.length),
      isMain,
      nth: seen.get(`${isMain} ${call} ${path}`),
      isChanging,
    });
  }
  return calls;
}

function pointsOf(calls) {
  const names = flags.calls?.split(",");
  const kinds = flags.kinds.split(",");
  const chosen = calls.filter(({ call }) => names === undefined || names.includes(call));
  const breakable = chosen.filter(({ isChanging }) =>
    isChanging ? !flags["reads-only"] : flags.reads || flags["reads-only"],
  );
  // Between two calls that change something, the directory is the same.
  const kills = kinds.includes("kill") ? chosen.filter(({ isChanging }) => isChanging) : [];
  return [
    ...kills.map((call) => ({ ...call, kind: "kill" })),
    ...errors
      .filter((error) => kinds.includes(error))
      .flatMap((error) => breakable.map((call) => ({ ...call, kind: error }))),
  ];
}

function sampled(points) {
  const every = Number(flags.every);
  if (every === 1) return points;
  return points.filter((point) => {
    const digest = createHash("sha256")
      .update(`${flags.seed} ${describe(point)}`)
      .digest();
    return digest.readUInt32LE(0) % every === 0;
  });
}

function describe({ kind, call, path, nth, isMain }) {
  return `${kind} ${call} ${path === "" ? "." : path.slice(1)} ${nth}${isMain ? " of the main thread" : ""}`;
}

/** A copy of the damaged snapshots. */
function prepare({ damaged }, directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const out = join(directory, "out");
  cpSync(damaged, out, { recursive: true });
  return out;
}

async function tryPoint(point, context, directory) {
  const { kind } = point;
  let out;
  let run;
  let injected = 0;
  for (let attempt = 0; attempt < attemptsMax && injected === 0; attempt++) {
    out = prepare(context, directory);
    ({ run, injected } = await breakCall(point, out, context));
  }
  if (injected === 0) return { outcome: "missed", problems: [] };
  const isAside = !existsSync(join(out, context.name));
  const problems = kind === "kill" ? killProblems(out, context) : errorProblems(point, run, out, context);
  const { name } = context;
  const places = [name, `.${name}.replaced`, `.${name}.partial`].map((place) => join(out, place));
  const kept = new Set(places.flatMap((place) => [...rightPartitions(place, context.right)]));
  const lost = [...context.keptByDamage].filter((partition) => !kept.has(partition));
  if (lost.length > 0) problems.push(`what was right is gone: partitions ${lost.join(", ")}`);
  problems.push(...(await followingProblems(out, kept, context)));
  if (problems.length > 0) return { outcome: "wrong", problems };
  if (injected > 1) return { outcome: "right, failed more than once", problems };
  if (kind === "kill") return { outcome: isAside ? "right, the older one was aside" : "right", problems };
  return { outcome: run.status === 0 ? "right, without effect" : "right, told", problems };
}

/** Answers how often the call was met. */
async function breakCall({ kind, call, path, nth, isMain }, out, { args }) {
  const log = join(out, "..", "calls");
  const effect = kind === "kill" ? "signal=KILL" : `error=${kind}`;
  // Each thread counts its own calls. With seccomp, strace knows of the calls sooner, and cannot kill.
  const threads = isMain ? [] : kind === "kill" ? ["-f"] : ["-f", "--seccomp-bpf"];
  const how = [...threads, "-o", log, "-P", `${out}${path}`, "-e", `trace=${call}`];
  const run = await assemble(args, out, [...how, "-e", `inject=${call}:${effect}:when=${nth}`]);
  if (kind === "kill") return { run, injected: run.signal === "SIGKILL" ? 1 : 0 };
  return { run, injected: readFileSync(log, "latin1").split("(INJECTED)").length - 1 };
}

/** The older snapshot or the right one is there; between the two renames, the older one is aside, unchanged. */
function killProblems(out, { name, older, right }) {
  const published = join(out, name);
  if (existsSync(published)) {
    const isEither = treeOf(published) === older || isRight(published, right);
    return isEither ? [] : ["what is published is neither the older snapshot nor the right one"];
  }
  const isAside = treeOf(join(out, `.${name}.replaced`)) === older;
  return isAside ? [] : ["nothing is published, and the older snapshot is not aside"];
}

function errorProblems({ kind, path }, run, out, context) {
  const problems = [];
  const published = join(out, context.name);
  const { summary } = run;
  if (/^\s+at /m.test(run.stderr)) problems.push(`a stack: ${run.stderr}`);
  if (summary === undefined) return [...problems, `status ${run.status}, no summary: ${run.stderr}`];
  if (summary.offences.length > 0) problems.push(`offences: ${JSON.stringify(summary.offences)}`);
  if (run.status === 0) {
    problems.push(...publishedProblems(out, context, summary.warnings.length === warningsOfDamage));
    return problems;
  }
  const { message, details, hint } = summary.error;
  const text = [message, ...details].join(" ");
  if (run.status !== 12) problems.push(`status ${run.status}: ${text}`);
  else {
    if (!meanings[kind].test(text)) problems.push(`the cause is not named: ${text}`);
    const near = basename(path).replace(/-journal$/, "") || basename(out);
    if (!text.includes(near)) problems.push(`the file is not named: ${text}`);
    if (kind === "EMFILE" && !hint.includes("ulimit -n")) problems.push(`the limit is not named: ${hint}`);
    if (/ENOSPC|EDQUOT/.test(kind) && !hint.includes("Free some space")) problems.push(`the hint: ${hint}`);
  }
  if (!existsSync(published)) problems.push("nothing is published");
  else if (treeOf(published) !== context.older && !isRight(published, context.right)) {
    problems.push("what is published is neither the older snapshot nor the right one");
  }
  return problems;
}

async function followingProblems(out, kept, context) {
  const run = await assemble(context.args, out);
  if (run.status !== 0) return [`the next run ended with ${run.status}: ${run.stderr} ${run.stdout}`];
  const problems = publishedProblems(out, context, true);
  const again = run.summary.queries.flatMap(({ partitions }) => partitions).filter((one) => kept.has(one));
  if (again.length > 0) problems.push(`the next run fetched what was right: ${again.join(", ")}`);
  if (kept.size === context.right.partitions.size && run.summary.bytesReceived > 0) {
    problems.push(`the next run received ${run.summary.bytesReceived} bytes, and everything was there`);
  }
  const { ok, findings } = await verifySnapshot(join(out, context.name));
  if (!ok) problems.push(`the snapshot does not verify: ${JSON.stringify(findings)}`);
  return problems;
}

/** @param isAlone whether nothing else may be there */
function publishedProblems(out, { name, right }, isAlone) {
  const problems = isRight(join(out, name), right) ? [] : ["what is published is not the right snapshot"];
  const others = readdirSync(out).filter((entry) => entry !== name);
  if (isAlone && others.length > 0) problems.push(`left behind: ${others.join(", ")}`);
  return problems;
}

/** What every run makes the same of a snapshot. */
function stateOf(directory) {
  const files = new Map();
  const partitions = new Map();
  for (const file of readdirSync(directory)) {
    if (!/^(?:partition-|export-)/.test(file)) continue;
    const bytes = readFileSync(join(directory, file));
    files.set(file, bytes);
    const number = /^partition-(global|[0-9]+)/.exec(file)?.[1];
    if (number !== undefined) partitions.set(file, number === "global" ? -1 : Number(number));
  }
  return { files, partitions };
}

function isRight(directory, { files }) {
  const names = readdirSync(directory).filter((file) => file !== "run.json" && file !== "evidence");
  return (
    names.length === files.size &&
    names.every((file) => files.get(file)?.equals(readFileSync(join(directory, file))) === true)
  );
}

function rightPartitions(directory, { files, partitions }) {
  const right = new Set();
  for (const [file, partition] of partitions) {
    const path = join(directory, file);
    if (existsSync(path) && readFileSync(path).equals(files.get(file))) right.add(partition);
  }
  return right;
}

/** Tells every byte, name and mode of a directory from another. */
function treeOf(directory) {
  if (!existsSync(directory)) return "nothing";
  const hash = createHash("sha256");
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }).toSorted(byPath)) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path.slice(directory.length)}\n`);
    if (entry.isFile()) hash.update(createHash("sha256").update(readFileSync(path)).digest());
  }
  return hash.digest("hex");
}

function byPath(a, b) {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

/** @param tracing the arguments of strace, where it is traced */
async function assemble(args, out, tracing) {
  const run = [process.execPath, command, ...args, "--out", out];
  const traced = tracing === undefined ? run : ["strace", "-qq", ...tracing, ...run];
  const [file, ...rest] = traced;
  // With one thread for the file system, the calls come in the same order, and one thread counts them.
  const child = spawn(file, rest, {
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    child[stream].setEncoding("utf8").on("data", (text) => {
      output[stream] += text;
    });
  }
  const [status, signal] = await once(child, "close");
  const last = output.stdout.trimEnd().split("\n").at(-1);
  const summary = last.startsWith("{") ? JSON.parse(last) : undefined;
  return { status, signal, summary: summary?.type === "summary" ? summary : undefined, ...output };
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
