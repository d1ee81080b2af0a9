/**
 * Damage to published snapshots, and its repair: `npm run flips -- [--flips 200] [--seed n]`.
 *
 * Each flip damages one bit of a copy of a published snapshot, in every file in turn; a tenth as many cut a file
 * off, append a byte, delete a file or add one. `verify` has to find it. The assemble command has to report it, to
 * make every file again as it was, and to fetch no more than the damaged artifact: nothing where another file was
 * hit, which it has to repair as well where no validator holds the snapshot any more. Files that are computed from
 * others are repaired without any server too. The command line runs in this process, beside the clusters. A line for each defect, and JSON on the last line; ends with 1 where
 * there is a defect.
 */

import { subscribe } from "node:diagnostics_channel";
import { appendFile, cp, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Writable } from "node:stream";
import { URL } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { run as runCommandLine } from "../../dist/cli/main.js";
import { verifySnapshot } from "../../dist/index.js";
import { startCluster } from "../../dist/testnet/cluster/cluster.js";
import { loadFixture } from "../../dist/testnet/cluster/fixture.js";
import { parseFault } from "../../dist/testnet/faults/faults.js";

const { values } = parseArgs({
  options: {
    flips: { type: "string", default: "200" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const flips = wholeNumber("--flips", values.flips);
const seed = wholeNumber("--seed", values.seed);

/** What a response has besides the accounts of a partition. */
const RESPONSE_BYTES_SPARE = 4096;
const MANIFEST = "export-manifest.json";
/** Computed from the artifacts, the signed messages, the lists and the settings. */
const computed = new Set([MANIFEST, "export-data.jsonl", "run.json", "evidence/counting.json"]);
/** What differs from run to run, or from list to list. */
const ownOfRun = new Set(["run.json"]);
const received = new Set(["evidence/node-list.json", "evidence/cycles.json", "evidence/gossip.jsonl"]);

const requests = countRequests();
say(`seed ${seed}`);
const outcomes = await tryAll();
const defects = outcomes.flatMap((outcome) => outcome.defects);
const isFlip = ({ kind }) => kind === "flip";
const summary = {
  seed,
  flips: outcomes.filter(isFlip).length,
  otherDamage: outcomes.filter((outcome) => !isFlip(outcome)).length,
  found: count(({ isFound }) => isFound),
  reported: count(({ isReported }) => isReported),
  repaired: count(({ isRepaired }) => isRepaired),
  withoutSnapshots: tally("forgetful"),
  offline: tally("offline"),
  fetched: {
    artifactsHit: count(({ partition }) => partition !== undefined),
    requests: sum(({ fetched }) => fetched.requests),
    bytes: sum(({ fetched }) => fetched.bytes),
    damagedArtifactBytes: sum(({ partitionBytes }) => partitionBytes),
    artifactsCompressedAgain: count(({ file, partition }) => file.endsWith(".gz") && partition === undefined),
    requestsForOtherFiles: sum(({ partition, fetched }) => (partition === undefined ? fetched.requests : 0)),
  },
  otherFilesNamed: sum(({ othersNamed }) => othersNamed),
  byFile: Object.fromEntries(
    [...new Set(outcomes.map(({ file }) => file))]
      .sort()
      .map((file) => [file, count((outcome) => outcome.file === file)]),
  ),
  defects,
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
process.exitCode = defects.length === 0 && summary.flips === flips ? 0 : 1;

/** One after the other, so that the requests of each can be counted. */
async function tryAll() {
  const scratch = await mkdtemp(join(tmpdir(), "flips-"));
  const clusters = [];
  try {
    const fixture = await loadFixture("nine-honest");
    const honest = await startCluster(fixture);
    clusters.push(honest);
    const forgetful = await startCluster({ ...fixture, faults: [parseFault("*:no-snapshot")] });
    clusters.push(forgetful);
    const pristine = {};
    for (const compression of ["none", "gzip"]) {
      const out = join(scratch, `pristine-${compression}`);
      const run = await assemble([...networkOf(honest), "--json", "--quiet"], honest, out, compression);
      if (run.status !== 0) throw new Error(`nothing to damage was published: ${run.stderr}`);
      pristine[compression] = await readSnapshot(run.summary.directory);
    }
    const outcomes = [];
    for (const damage of planDamages(pristine)) {
      outcomes.push(await tryDamage(damage, pristine[damage.compression], { honest, forgetful, scratch }));
    }
    await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
    for (const outcome of outcomes) {
      if (!outcome.damage.isComputed) continue;
      await repairOffline(outcome, pristine[outcome.damage.compression], { honest, scratch });
    }
    return outcomes;
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    await rm(scratch, { recursive: true, force: true });
  }
}

function planDamages(pristine) {
  const random = randomOf(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const damages = [];
  for (let index = 0; index < flips; index++) {
    const compression = index % 2 === 0 ? "none" : "gzip";
    const names = [...pristine[compression].keys()];
    const file = names[(index >> 1) % names.length];
    const bytes = pristine[compression].get(file);
    damages.push(flipOf(file, bytes, compression, random, pick));
  }
  const kinds = ["truncate", "append", "delete", "extra"];
  for (let index = 0; index < Math.max(kinds.length, Math.round(flips / 10)); index++) {
    const compression = pick(["none", "gzip"]);
    const kind = kinds[index % kinds.length];
    const isExtra = kind === "extra";
    const extra = pick(["partition-00009.json", "evidence/notes.txt", ".hidden", "run.json~"]);
    const file = isExtra ? extra : pick([...pristine[compression].keys()]);
    const size = isExtra ? 0 : pristine[compression].get(file).length;
    damages.push({ kind, compression, file, at: Math.floor(random() * size) });
  }
  return damages.map((damage, index) => ({ ...damage, index, ...consequencesOf(damage, pristine) }));
}

/** Anywhere, at either end, or in white space: what has no meaning is damaged all the same. */
function flipOf(file, bytes, compression, random, pick) {
  const place = pick(["anywhere", "anywhere", "begin", "end", "last bit", "white space"]);
  let at = Math.floor(random() * bytes.length);
  let bit = Math.floor(random() * 8);
  if (place === "begin") at = Math.min(bytes.length - 1, Math.floor(random() * 10));
  if (place === "end") at = Math.max(0, bytes.length - 1 - Math.floor(random() * 10));
  if (place === "last bit" && file.endsWith(".gz")) {
    // Before the checksum and the length: it may only fill up the last byte of the compressed data.
    at = bytes.length - 9;
    bit = 7;
  }
  if (place === "white space" && !file.endsWith(".gz")) {
    const spaces = [...bytes.keys()].filter((index) => bytes[index] === 0x20 || bytes[index] === 0x0a);
    if (spaces.length > 0) at = pick(spaces);
  }
  return { kind: "flip", compression, file, place, at, bit };
}

/** What may be fetched for it, and by whom it can be repaired. */
function consequencesOf({ kind, file, compression, at, bit }, pristine) {
  const isComputed = computed.has(file) || kind === "extra";
  const match = /^partition-(global|\d+)\.json(\.gz)?$/.exec(file);
  if (match === null || kind === "extra") return { isComputed, partition: undefined, partitionBytes: 0 };
  const bytes = pristine[compression].get(file);
  const isTextRight = kind === "flip" && match[2] !== undefined && hasText(flipped(bytes, at, bit), bytes);
  // Its text is there: it only has to be compressed again.
  const partition = isTextRight ? undefined : match[1] === "global" ? -1 : Number(match[1]);
  const text = match[2] === undefined ? bytes : gunzipSync(bytes);
  return { isComputed, partition, partitionBytes: partition === undefined ? 0 : text.length };
}

/** A header that was changed may have lost the text for those that are strict. */
function hasText(changed, bytes) {
  if (!changed.subarray(0, 10).equals(bytes.subarray(0, 10))) return false;
  try {
    return gunzipSync(changed).equals(gunzipSync(bytes));
  } catch {
    return false;
  }
}

function flipped(bytes, at, bit) {
  const changed = Buffer.from(bytes);
  changed[at] ^= 1 << bit;
  return changed;
}

async function tryDamage(damage, pristine, { honest, forgetful, scratch }) {
  const { kind, file, index, partition, partitionBytes } = damage;
  const outcome = { damage, kind, file, partition, partitionBytes, defects: [] };
  const defect = (problem) => addDefect(outcome, problem);

  const first = await damagedCopy(damage, pristine, honest, join(scratch, `${index}-first`));
  const check = await run(["verify", first.directory, "--json"]);
  // Without a manifest, it is no snapshot: then that is the error.
  const found = [check.summary?.findings ?? [], check.summary?.error ?? []].flat();
  const isNamed = found.some((one) => one.file === file || one.message?.includes(file) === true);
  outcome.isFound = check.status !== 0 && isNamed;
  if (!outcome.isFound) defect(`verify ends with ${check.status} and finds ${JSON.stringify(found)}`);

  const before = requests.of(honest);
  const again = await assemble([...networkOf(honest), "--json"], honest, first.out, damage.compression);
  const after = requests.of(honest);
  outcome.fetched = { requests: after.requests - before.requests, bytes: after.bytes - before.bytes };
  const reported = (again.summary?.damage ?? []).map((one) => one.file);
  outcome.othersNamed = reported.filter((name) => name !== file).length;
  const isInSummary = reported.includes(file);
  if (!isInSummary) defect(`the summary reports ${JSON.stringify(again.summary?.damage)}`);
  const problems = await problemsOf(again, first, pristine, ownOfRun);
  checkFetched(outcome, again.summary, defect);

  const second = await damagedCopy(damage, pristine, honest, join(scratch, `${index}-second`));
  const other = partition === undefined ? forgetful : honest;
  const quiet = await assemble([...networkOf(other), "--quiet"], honest, second.out, damage.compression);
  const isWarned = quiet.stderr.includes("is damaged") && quiet.stderr.includes(file);
  if (!isWarned) defect(`--quiet warns of ${JSON.stringify(quiet.stderr)}`);
  if (quiet.stdout !== "") defect(`--quiet prints ${JSON.stringify(quiet.stdout)}`);
  const others = await problemsOf(quiet, second, pristine, new Set([...ownOfRun, ...received]));
  if (partition === undefined) outcome.forgetful = others.length === 0;
  for (const problem of [...problems, ...others.map((one) => `the second time, ${one}`)]) defect(problem);

  outcome.isReported = isInSummary && isWarned;
  outcome.isRepaired = problems.length === 0 && others.length === 0;
  await rm(first.out, { recursive: true });
  await rm(second.out, { recursive: true });
  return outcome;
}

/** With the lists from files, when no server runs any more. */
async function repairOffline(outcome, pristine, { honest, scratch }) {
  const { damage } = outcome;
  const { out, directory } = await damagedCopy(
    damage,
    pristine,
    honest,
    join(scratch, `${damage.index}-offline`),
  );
  const lists = join(scratch, `${damage.index}-lists`);
  await cp(join(pristine.directory, "evidence"), lists, { recursive: true });
  const network = ["--nodes", join(lists, "node-list.json"), "--cycles", join(lists, "cycles.json")];
  const again = await assemble([...network, "--json", "--quiet"], honest, out, damage.compression);
  const problems = await problemsOf(again, { directory }, pristine, ownOfRun);
  for (const problem of problems) addDefect(outcome, `offline, ${problem}`);
  outcome.offline = problems.length === 0;
  await rm(out, { recursive: true });
  await rm(lists, { recursive: true });
}

function checkFetched({ fetched, partition, partitionBytes }, summary, defect) {
  const partitions = new Set((summary?.queries ?? []).flatMap((query) => query.partitions));
  partitions.delete(partition);
  if (partitions.size > 0) defect(`partitions ${[...partitions].join(", ")} are fetched as well`);
  if (partition === undefined && fetched.requests > 0) defect(`${fetched.requests} requests for accounts`);
  if (partition !== undefined && fetched.requests === 0)
    defect("nothing is fetched: the requests are not counted");
  if (fetched.bytes > fetched.requests * (partitionBytes + RESPONSE_BYTES_SPARE)) {
    defect(`${fetched.bytes} bytes are fetched for ${partitionBytes}`);
  }
}

/** What is not as it was before the damage. */
async function problemsOf({ status, summary, stderr }, { directory }, pristine, excepted) {
  if (status !== 0) return [`the run ends with ${status}: ${summary?.error?.message ?? stderr}`];
  const problems = [];
  const now = await readSnapshot(directory);
  for (const file of new Set([...pristine.keys(), ...now.keys()])) {
    const [was, is] = [pristine.get(file), now.get(file)];
    if (is === undefined) problems.push(`${file} is missing`);
    else if (was === undefined) problems.push(`${file} is still there`);
    else if (!excepted.has(file) && !is.equals(was)) problems.push(`${file} is not what it was`);
  }
  const { ok, findings } = await verifySnapshot(directory);
  if (!ok) problems.push(`verify finds ${JSON.stringify(findings)}`);
  return problems;
}

async function damagedCopy(damage, pristine, { snapshotTimestamp }, out) {
  const directory = join(out, `snapshot-${snapshotTimestamp}`);
  await cp(pristine.directory, directory, { recursive: true });
  const path = join(directory, damage.file);
  const { kind, at, bit, file } = damage;
  if (kind === "truncate") await truncate(path, at);
  else if (kind === "append") await appendFile(path, "\n");
  else if (kind === "delete") await rm(path);
  else if (kind === "extra") await writeFile(path, "[]");
  else {
    const handle = await open(path, "r+");
    await handle.write(flipped(pristine.get(file), at, bit), at, 1, at);
    await handle.close();
  }
  return { out, directory };
}

/** File → bytes; and where they are. */
async function readSnapshot(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.sort().map(async (path) => [relative(directory, path), await readFile(path)]),
  );
  return Object.assign(new Map(files), { directory });
}

function networkOf({ archiverUrl, archiverPublicKey }) {
  return ["--archiver", archiverUrl, "--archiver-key", archiverPublicKey];
}

async function assemble(args, { snapshotTimestamp }, out, compression) {
  const timestamp = String(snapshotTimestamp);
  return await run([...args, "--timestamp", timestamp, "--out", out, "--compress", compression]);
}

/** Status, texts, and the last line of stdout where that is JSON. */
async function run(args) {
  const [stdout, stderr] = [captured(), captured()];
  const io = { stdout, stderr, env: {}, signal: new AbortController().signal };
  const status = await runCommandLine(args, io);
  const last = stdout.text.trimEnd().split("\n").at(-1) ?? "";
  const summary = last.startsWith("{") ? JSON.parse(last) : undefined;
  return { status, stdout: stdout.text, stderr: stderr.text, summary };
}

function captured() {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      stream.text += chunk.toString("utf8");
      done();
    },
  });
  return Object.assign(stream, { text: "" });
}

/** Counts, by port, the requests for accounts that servers of this process receive, and the bytes they send. */
function countRequests() {
  const byPort = new Map();
  const begun = new WeakMap();
  subscribe("http.server.request.start", ({ request, socket }) => {
    if (request.method === "POST" && request.url?.startsWith("/snapshot")) {
      begun.set(request, socket.bytesWritten);
      entryOf(socket.localPort).requests++;
    }
  });
  subscribe("http.server.response.finish", ({ request, socket }) => {
    const before = begun.get(request);
    if (before !== undefined) entryOf(portOf(request, socket)).bytes += socket.bytesWritten - before;
  });
  const portOf = (request, socket) => socket.localPort ?? request.socket.localPort;
  const entryOf = (port) => {
    const entry = byPort.get(port) ?? { requests: 0, bytes: 0 };
    byPort.set(port, entry);
    return entry;
  };
  return {
    of({ nodes }) {
      const entries = nodes.map(({ url }) => entryOf(Number(new URL(url).port)));
      const total = (field) => entries.reduce((all, entry) => all + entry[field], 0);
      return { requests: total("requests"), bytes: total("bytes") };
    },
  };
}

/** The seeded sequence of mulberry32: numbers from 0 to 1. */
function randomOf(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function addDefect({ damage, defects }, problem) {
  const { index, kind, compression, file, place, at, bit } = damage;
  const where = kind === "flip" ? `bit ${bit} of byte ${at} (${place})` : kind;
  const text = `${index}: ${file}, ${compression}, ${where}: ${problem}`;
  defects.push(text);
  say(text);
}

function wholeNumber(option, text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && text.trim() !== "") return number;
  throw new Error(`${option}: expected a whole number, got ${JSON.stringify(text)}`);
}

function count(holds) {
  return outcomes.filter(holds).length;
}

function sum(numberOf) {
  return outcomes.reduce((total, outcome) => total + numberOf(outcome), 0);
}

/** Of those where it was tried, how many were repaired. */
function tally(field) {
  const tried = outcomes.filter((outcome) => outcome[field] !== undefined);
  return { tried: tried.length, repaired: tried.filter((outcome) => outcome[field]).length };
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
