/** Damages copies of a published snapshot, and checks that `verify` finds the damage and that a run repairs it. */

import { appendFile, cp, open, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifySnapshot } from "../../dist/index.js";
import type { Cluster } from "../../dist/testnet/cluster/cluster.js";
import { type CommandRun, runCommand, type Summary } from "./command-in-process.ts";
import { type Compression, type Damage, flipped } from "./damage-plan.ts";
import { type PublishedFiles, readPublished } from "./published-files.ts";
import type { SnapshotTraffic, Traffic } from "./snapshot-traffic.ts";

export interface TrialContext {
  readonly honest: Cluster;
  /** A cluster of the same network without the snapshot. */
  readonly forgetful: Cluster;
  readonly scratch: string;
  readonly traffic: SnapshotTraffic;
}

export interface Outcome {
  readonly damage: Damage;
  readonly isFound: boolean;
  readonly isReported: boolean;
  readonly isRepaired: boolean;
  readonly fetched: Traffic;
  /** Other files that the summary reports as damaged. */
  readonly othersReported: number;
  /** Whether the repair works without validators that have the snapshot; `undefined` where a fetch is necessary. */
  readonly isRepairedWithoutSnapshots: boolean | undefined;
  readonly defects: readonly string[];
}

/** The bytes of a response besides the accounts of a partition. */
const responseOverheadBytes = 4096;
/** Differs from run to run. */
const ownFiles = new Set(["run.json"]);
/** Differs from cluster to cluster. */
const receivedFiles = new Set(["evidence/node-list.json", "evidence/cycles.json", "evidence/gossip.jsonl"]);

export async function tryDamage(
  damage: Damage,
  pristine: PublishedFiles,
  context: TrialContext,
): Promise<Outcome> {
  const found = await checkFound(damage, pristine, context);
  const repair = await checkRepair(damage, pristine, context);
  const quiet = await checkQuietRepair(damage, pristine, context);
  return {
    damage,
    isFound: found.length === 0,
    isReported: repair.isReported && quiet.isReported,
    isRepaired: repair.problems.length === 0 && quiet.problems.length === 0,
    fetched: repair.fetched,
    othersReported: repair.othersReported,
    isRepairedWithoutSnapshots: damage.refetched === undefined ? quiet.problems.length === 0 : undefined,
    defects: [...found, ...repair.defects, ...quiet.defects],
  };
}

/** Returns the problems of a repair with the lists from files, when no server runs. */
export async function repairOffline(
  damage: Damage,
  pristine: PublishedFiles,
  { honest, scratch }: TrialContext,
): Promise<string[]> {
  const { out, directory } = await damagedCopy(damage, pristine, honest, join(scratch, "offline"));
  const lists = join(scratch, "lists");
  await cp(join(pristine.directory, "evidence"), lists, { recursive: true });
  const network = ["--nodes", join(lists, "node-list.json"), "--cycles", join(lists, "cycles.json")];
  const run = await assemble([...network, "--json", "--quiet"], honest, out, damage.compression);
  const problems = await differences(run, directory, pristine, ownFiles);
  await rm(out, { recursive: true });
  await rm(lists, { recursive: true });
  return problems.map((problem) => `offline: ${problem}`);
}

async function checkFound(
  damage: Damage,
  pristine: PublishedFiles,
  { honest, scratch }: TrialContext,
): Promise<string[]> {
  const { out, directory } = await damagedCopy(damage, pristine, honest, join(scratch, "verified"));
  const { status, summary } = await runCommand(["verify", directory, "--json"]);
  await rm(out, { recursive: true });
  // Without a manifest, the directory is not a snapshot, which is an error and no finding.
  const found = [summary?.findings ?? [], summary?.error ?? []].flat();
  const isNamed = found.some(({ file, message }) => file === damage.file || message?.includes(damage.file));
  return status !== 0 && isNamed ? [] : [`verify ends with ${status} and finds ${JSON.stringify(found)}`];
}

async function checkRepair(damage: Damage, pristine: PublishedFiles, context: TrialContext) {
  const { honest, scratch, traffic } = context;
  const { out, directory } = await damagedCopy(damage, pristine, honest, join(scratch, "repaired"));
  const before = traffic.of(honest);
  const run = await assemble([...networkOf(honest), "--json"], honest, out, damage.compression);
  const after = traffic.of(honest);
  const fetched = { requests: after.requests - before.requests, bytes: after.bytes - before.bytes };
  const reported = (run.summary?.damage ?? []).map(({ file }) => file);
  const isReported = reported.includes(damage.file);
  const problems = await differences(run, directory, pristine, ownFiles);
  await rm(out, { recursive: true });
  const defects = [...problems, ...excessOf(fetched, damage, run.summary)];
  if (!isReported) defects.push(`the summary reports ${JSON.stringify(run.summary?.damage)}`);
  const othersReported = reported.filter((file) => file !== damage.file).length;
  return { isReported, problems, fetched, othersReported, defects };
}

/** Repairs with `--quiet`, and without validators that have the snapshot where nothing has to be fetched. */
async function checkQuietRepair(damage: Damage, pristine: PublishedFiles, context: TrialContext) {
  const { honest, forgetful, scratch } = context;
  const { out, directory } = await damagedCopy(damage, pristine, honest, join(scratch, "quiet"));
  const network = networkOf(damage.refetched === undefined ? forgetful : honest);
  const run = await assemble([...network, "--quiet"], honest, out, damage.compression);
  const isReported = run.stderr.includes("is damaged") && run.stderr.includes(damage.file);
  const problems = await differences(run, directory, pristine, new Set([...ownFiles, ...receivedFiles]));
  await rm(out, { recursive: true });
  const defects = problems.map((problem) => `with --quiet: ${problem}`);
  if (!isReported) defects.push(`--quiet warns of ${JSON.stringify(run.stderr)}`);
  if (run.stdout !== "") defects.push(`--quiet prints ${JSON.stringify(run.stdout)}`);
  return { isReported, problems, defects };
}

function excessOf(fetched: Traffic, { refetched }: Damage, summary: Summary | undefined): string[] {
  const excess: string[] = [];
  const partitions = new Set<number>((summary?.queries ?? []).flatMap((query) => query.partitions));
  if (refetched !== undefined) partitions.delete(refetched.partition);
  if (partitions.size > 0) excess.push(`the run also fetches partitions ${[...partitions].join(", ")}`);
  if (refetched === undefined && fetched.requests > 0)
    excess.push(`${fetched.requests} requests for accounts`);
  if (refetched !== undefined && fetched.requests === 0) excess.push("no request was counted");
  const bytesMax = fetched.requests * ((refetched?.bytes ?? 0) + responseOverheadBytes);
  if (fetched.bytes > bytesMax)
    excess.push(`the run fetches ${fetched.bytes} bytes, expected ${bytesMax} at most`);
  return excess;
}

/** Returns the differences from the snapshot before the damage. */
async function differences(
  { status, summary, stderr }: CommandRun,
  directory: string,
  pristine: PublishedFiles,
  excepted: ReadonlySet<string>,
): Promise<string[]> {
  if (status !== 0) return [`the run ends with ${status}: ${summary?.error?.message ?? stderr}`];
  const problems: string[] = [];
  const repaired = await readPublished(directory);
  for (const file of new Set([...pristine.bytes.keys(), ...repaired.bytes.keys()])) {
    const [before, after] = [pristine.bytes.get(file), repaired.bytes.get(file)];
    if (after === undefined) problems.push(`${file} is missing`);
    else if (before === undefined) problems.push(`${file} still exists`);
    else if (!excepted.has(file) && !after.equals(before)) problems.push(`${file} differs`);
  }
  const { ok, findings } = await verifySnapshot(directory);
  if (!ok) problems.push(`verify finds ${JSON.stringify(findings)}`);
  return problems;
}

async function damagedCopy(
  { file, action }: Damage,
  pristine: PublishedFiles,
  { snapshotTimestamp }: Cluster,
  out: string,
) {
  const directory = join(out, `snapshot-${snapshotTimestamp}`);
  await cp(pristine.directory, directory, { recursive: true });
  const path = join(directory, file);
  switch (action.kind) {
    case "truncate":
      await truncate(path, action.at);
      break;
    case "append":
      await appendFile(path, "\n");
      break;
    case "delete":
      await rm(path);
      break;
    case "extra":
      await writeFile(path, "[]");
      break;
    case "flip": {
      const handle = await open(path, "r+");
      const bytes = flipped(pristine.bytes.get(file) ?? Buffer.alloc(0), action);
      await handle.write(bytes, action.at, 1, action.at);
      await handle.close();
    }
  }
  return { out, directory };
}

export function networkOf({ archiverUrl, archiverPublicKey }: Cluster): string[] {
  return ["--archiver", archiverUrl, "--archiver-key", archiverPublicKey];
}

export async function assemble(
  args: readonly string[],
  { snapshotTimestamp }: Cluster,
  out: string,
  compression: Compression,
): Promise<CommandRun> {
  const timestamp = String(snapshotTimestamp);
  return await runCommand([...args, "--timestamp", timestamp, "--out", out, "--compress", compression]);
}
