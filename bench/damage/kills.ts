/**
 * Kills delta runs: `npm run kills -- [--kills 100] [--seed n]`.
 *
 * Each trial starts the command in a process, on an output directory with an older snapshot, and kills it with SIGKILL at
 * a random moment of its run. Then the command runs again to its end. The older snapshot must be intact after the kill,
 * the newer one must be the same as one that was fetched whole, and both runs together may receive no more than one
 * delta and what was on its way. Prints a line for each defect, and JSON on the last line. Ends with 1 where it finds one.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { verifySnapshot } from "../../dist/index.js";
import { asCycle } from "../../dist/protocol/brands.js";
import { type Cluster, startCluster } from "../../dist/testnet/cluster/cluster.js";
import { type Fixture, loadFixture, olderFixture } from "../../dist/testnet/cluster/fixture.js";
import { Random } from "../../dist/testnet/state/random.js";
import { commandPath, lastLine } from "../command.ts";
import { print } from "../measure.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});

interface Run {
  readonly status: number | null;
  readonly received: number;
  readonly seeded: number;
  readonly resumed: number;
  readonly durationMs: number;
}

/** Large enough that a run can be killed while it fetches, completes and publishes. */
const shape = { nodes: 9, accounts: 60_000, accountBytes: 400, globalAccounts: 100 };
const changes = { sinceCycle: asCycle(7), seed: "later", changed: 0.05, created: 0.01, deleted: 0 };

const scratch = await mkdtemp(join(tmpdir(), "kills-"));
const clusters: Cluster[] = [];
try {
  await tryKills();
} finally {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
  await rm(scratch, { recursive: true, force: true });
}

async function tryKills(): Promise<void> {
  const fixture: Fixture = { ...(await loadFixture("nine-honest")), ...shape, changes };
  const [older, newer] = [await startCluster(olderFixture(fixture)), await startCluster(fixture)];
  clusters.push(older, newer);
  const pristine = join(scratch, "pristine");
  await assemble(older, pristine);
  const expected = await comparedFiles(await wholeSnapshot(newer));
  const undisturbed = await assembleCopy(pristine, newer, "undisturbed");
  const random = Random.named("kills", values.seed);
  const defects: string[] = [];
  const phases = { before: 0, partial: 0, published: 0 };
  let resumed = 0;
  for (let kill = 0; kill < Number(values.kills); kill++) {
    const out = join(scratch, `kill-${kill}`);
    await cp(pristine, out, { recursive: true });
    const atMs = (random.below(1_000) / 1_000) * 1.1 * undisturbed.durationMs;
    await assemble(newer, out, atMs);
    const names = await readdir(out);
    const isPublished = names.includes(`snapshot-${newer.snapshotTimestamp}`);
    phases[
      isPublished ? "published" : names.some((name) => name.endsWith(".partial")) ? "partial" : "before"
    ]++;
    const found = [
      ...(await problemsOf(join(out, `snapshot-${older.snapshotTimestamp}`), "the older snapshot")),
      ...(isPublished
        ? await problemsOf(join(out, `snapshot-${newer.snapshotTimestamp}`), "the snapshot")
        : []),
    ];
    const again = await assemble(newer, out);
    if (again.status !== 0) found.push(`the next run ended with ${again.status}`);
    else if (!isSame(expected, await comparedFiles(join(out, `snapshot-${newer.snapshotTimestamp}`))))
      found.push("the next run published something else");
    if (again.received > 1.01 * undisturbed.received)
      found.push(`the next run received ${again.received} bytes`);
    const left = (await readdir(out)).filter((name) => name.startsWith("."));
    if (left.length > 0) found.push(`the next run left ${left.join(", ")}`);
    resumed += again.resumed > 0 ? 1 : 0;
    for (const problem of found) print(`kill ${kill} at ${Math.round(atMs)} ms: ${problem}`);
    defects.push(...found);
    await rm(out, { recursive: true, force: true });
  }
  const { received, seeded, durationMs } = undisturbed;
  const kills = Number(values.kills);
  print(
    JSON.stringify({
      seed: values.seed,
      kills,
      phases,
      resumed,
      received,
      seeded,
      durationMs,
      defects: defects.length,
    }),
  );
  process.exitCode = defects.length === 0 ? 0 : 1;
}

async function wholeSnapshot(cluster: Cluster): Promise<string> {
  const out = join(scratch, "whole");
  await assemble(cluster, out);
  return join(out, `snapshot-${cluster.snapshotTimestamp}`);
}

async function assembleCopy(pristine: string, cluster: Cluster, name: string): Promise<Run> {
  const out = join(scratch, name);
  await cp(pristine, out, { recursive: true });
  return await assemble(cluster, out);
}

/** @param killAtMs after this time, the process is killed */
async function assemble(cluster: Cluster, out: string, killAtMs?: number): Promise<Run> {
  const { archiverUrl, archiverPublicKey, snapshotTimestamp } = cluster;
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [commandPath, "--archiver", archiverUrl, "--archiver-key", archiverPublicKey].concat([
      "--timestamp",
      String(snapshotTimestamp),
      "--out",
      out,
      "--json",
      "--quiet",
    ]),
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const closed = once(child, "close");
  if (killAtMs !== undefined) {
    await Promise.race([sleep(killAtMs), closed]);
    child.kill("SIGKILL");
  }
  await closed;
  const last = lastLine(output);
  const { bytes } = last.startsWith("{") ? JSON.parse(last) : { bytes: undefined };
  const sources: { source: { kind: string }; bytes: number }[] = bytes?.sources ?? [];
  return {
    status: child.exitCode,
    received: bytes?.received ?? 0,
    seeded: bytes?.seeded ?? 0,
    resumed: sources.find(({ source }) => source.kind === "resumed")?.bytes ?? 0,
    durationMs: performance.now() - startedMs,
  };
}

async function problemsOf(directory: string, what: string): Promise<string[]> {
  const { findings } = await verifySnapshot(directory);
  return findings.map(({ file, problem }) => `${what}: ${file}: ${problem}`);
}

/** The files that are the same for every run. */
async function comparedFiles(directory: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(directory))
    .filter((name) => name !== "run.json" && name !== "evidence")
    .sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const)),
  );
}

function isSame(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, bytes]) => b.get(name)?.equals(bytes) === true);
}
