/**
 * Damages published snapshots, and repairs them: `npm run flips -- [--flips 200] [--seed n]`.
 *
 * Each flip damages one bit of a copy of a published snapshot, in every file in turn. A tenth as many trials truncate a
 * file, append a byte, delete a file or add one. `verify` has to find the damage. The assemble command has to report
 * it, to restore every file, and to fetch no more than the damaged artifact. Damage to any other file has to be
 * repaired without validators that have the snapshot, and damage to a computed file without any server. The command
 * line and the clusters run in this process. Prints a line for each defect, and JSON on the last line. Ends with 1
 * where it finds a defect.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, startCluster } from "../../dist/testnet/cluster/cluster.js";
import { loadFixture } from "../../dist/testnet/cluster/fixture.js";
import { parseFault } from "../../dist/testnet/faults/faults.js";
import { print } from "../measure.ts";
import { type Compression, type Damage, planDamage } from "./damage-plan.ts";
import { type PublishedFiles, readPublished } from "./published-files.ts";
import { assemble, networkOf, type Outcome, repairOffline, tryDamage } from "./repair-trial.ts";
import { SnapshotTraffic } from "./snapshot-traffic.ts";

const { values } = parseArgs({
  options: {
    flips: { type: "string", default: "200" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const flips = wholeNumber("--flips", values.flips);
const seed = wholeNumber("--seed", values.seed);
const traffic = new SnapshotTraffic();

warn(`seed ${seed}`);
const { outcomes, offline } = await tryAll();
const defects = [...outcomes, ...offline].flatMap((outcome) => outcome.defects);
const summary = summarize();
print(JSON.stringify(summary));
process.exitCode = defects.length === 0 && summary.flips === flips ? 0 : 1;

interface OfflineOutcome {
  readonly damage: Damage;
  readonly defects: readonly string[];
}

/** Runs the trials one after another, so that the requests of each can be counted. */
async function tryAll(): Promise<{ outcomes: Outcome[]; offline: OfflineOutcome[] }> {
  const scratch = await mkdtemp(join(tmpdir(), "flips-"));
  const clusters: Cluster[] = [];
  try {
    const fixture = await loadFixture("nine-honest");
    const honest = await startCluster(fixture);
    clusters.push(honest);
    const forgetful = await startCluster({ ...fixture, faults: [parseFault("*:no-snapshot")] });
    clusters.push(forgetful);
    const context = { honest, forgetful, scratch, traffic };
    const pristine = {
      none: await publish(honest, "none", scratch),
      gzip: await publish(honest, "gzip", scratch),
    };
    const tried: Outcome[] = [];
    for (const damage of planDamage(pristine, flips, seed)) {
      const outcome = await tryDamage(damage, pristine[damage.compression], context);
      tried.push({ ...outcome, defects: reported(damage, outcome.defects) });
    }
    await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
    const repaired: OfflineOutcome[] = [];
    for (const { damage } of tried.filter((outcome) => outcome.damage.isComputed)) {
      const problems = await repairOffline(damage, pristine[damage.compression], context);
      repaired.push({ damage, defects: reported(damage, problems) });
    }
    return { outcomes: tried, offline: repaired };
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    await rm(scratch, { recursive: true, force: true });
  }
}

async function publish(cluster: Cluster, compression: Compression, scratch: string): Promise<PublishedFiles> {
  const out = join(scratch, `pristine-${compression}`);
  const run = await assemble([...networkOf(cluster), "--json", "--quiet"], cluster, out, compression);
  const directory = run.summary?.directory;
  if (run.status !== 0 || typeof directory !== "string") {
    throw new Error(`the first run ends with ${run.status} and publishes no snapshot: ${run.stderr}`);
  }
  return await readPublished(directory);
}

/** Prints defects as they are found. */
function reported({ index, file, compression, action }: Damage, problems: readonly string[]): string[] {
  const where =
    action.kind === "flip" ? `bit ${action.bit} of byte ${action.at} (${action.place})` : action.kind;
  const texts = problems.map((problem) => `${index}: ${file}, ${compression}, ${where}: ${problem}`);
  for (const text of texts) warn(text);
  return texts;
}

function summarize() {
  const count = (holds: (outcome: Outcome) => boolean) => outcomes.filter(holds).length;
  const sum = (numberOf: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + numberOf(outcome), 0);
  const withoutSnapshots = outcomes.filter((outcome) => outcome.isRepairedWithoutSnapshots !== undefined);
  const files = [...new Set(outcomes.map(({ damage }) => damage.file))].sort();
  return {
    seed,
    flips: count(({ damage }) => damage.action.kind === "flip"),
    otherDamage: count(({ damage }) => damage.action.kind !== "flip"),
    found: count(({ isFound }) => isFound),
    reported: count(({ isReported }) => isReported),
    repaired: count(({ isRepaired }) => isRepaired),
    withoutSnapshots: {
      tried: withoutSnapshots.length,
      repaired: withoutSnapshots.filter((outcome) => outcome.isRepairedWithoutSnapshots === true).length,
    },
    offline: {
      tried: offline.length,
      repaired: offline.filter((outcome) => outcome.defects.length === 0).length,
    },
    fetched: {
      artifactsHit: count(({ damage }) => damage.refetched !== undefined),
      requests: sum(({ fetched }) => fetched.requests),
      bytes: sum(({ fetched }) => fetched.bytes),
      damagedArtifactBytes: sum(({ damage }) => damage.refetched?.bytes ?? 0),
      artifactsCompressedAgain: count(
        ({ damage }) => damage.file.endsWith(".gz") && damage.refetched === undefined,
      ),
      requestsForOtherFiles: sum(({ damage, fetched }) =>
        damage.refetched === undefined ? fetched.requests : 0,
      ),
    },
    otherFilesNamed: sum(({ othersReported }) => othersReported),
    byFile: Object.fromEntries(files.map((file) => [file, count(({ damage }) => damage.file === file)])),
    defects,
  };
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && text.trim() !== "") return number;
  throw new Error(`${option}: expected a whole number, got ${JSON.stringify(text)}`);
}

function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}
