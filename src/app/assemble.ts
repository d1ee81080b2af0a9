/**
 * The main job, without a terminal: reads the lists and publishes a snapshot.
 *
 * ```
 * read the network
 * for each boundary that the timestamp can mean, newest first:
 *   find the sharding settings and the agreed hashes
 *   lock the place of the snapshot, and check what is published there
 *   fetch the missing partitions, and publish
 * ```
 *
 * If a boundary has no agreed hashes or no accounts yet, the run continues with the next older one.
 */

import { describeUndecided } from "../agreement/undecided.ts";
import type { Problem } from "../errors/problem.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RunSummary } from "../events/assemble-events.ts";
import { RunLog } from "../events/run-log.ts";
import { type ExportData, exportDataDigest } from "../format/export-data.ts";
import { latestRoundsMax } from "../limits/network.ts";
import { requireOptions } from "../options/option-check.ts";
import type { Cycle, HashHex } from "../protocol/brands.ts";
import { requireOutput } from "../store/snapshot-place.ts";
import { ageWarning } from "../trust/chain/boundary.ts";
import { describeUnknown } from "../trust/chain/cycle-nodes.ts";
import { type NetworkClients, openClients } from "../trust/node-addresses.ts";
import { readArchivers } from "../trust/read-archivers.ts";
import { type Network, readNetwork } from "../trust/read-network.ts";
import { readTxList } from "../trust/read-tx-list.ts";
import { shardOf } from "../trust/sharding.ts";
import type { Findings } from "../verify/findings/findings.ts";
import { agreeOn } from "./assembly/agreement.ts";
import { type Attempt, listContext, type Run } from "./assembly/assembly-run.ts";
import { noCandidateError } from "./assembly/failure/latest.ts";
import { explained } from "./assembly/failure/no-snapshots.ts";
import { fetchPartitions } from "./assembly/fetch.ts";
import { GossipFile } from "./assembly/gossip-file.ts";
import { withNextRecord } from "./assembly/next-record.ts";
import { type AssembleOptions, assembleChecks, settingsOf } from "./assembly/options.ts";
import { prepareForSeeds } from "./assembly/place/bases.ts";
import { checkPlace, lockPlace, releasePlace } from "./assembly/place/locked-place.ts";
import { type Proof, publish } from "./assembly/publish.ts";
import { ShardingOfCycles } from "./assembly/sharding-of-cycles.ts";
import { requireChainAgrees, requireMetadataAgrees, requireStateInChain } from "./assembly/witnesses.ts";

export interface AssembleResult extends RunSummary {
  readonly timestamp: number;
  readonly cycle: Cycle;
  readonly networkHash: HashHex;
  readonly digest: string;
  readonly directory: string;
}

/**
 * Assembles the snapshot of one cycle boundary, and publishes it in `options.out` as `snapshot-<timestamp>`
 * (FORMAT.md). Every artifact has the hash that the validators agreed on.
 *
 * @throws SnapshotError with a code for the kind of failure, and a hint what to do
 */
export async function assemble(options: AssembleOptions): Promise<AssembleResult> {
  requireOptions("assemble", options, assembleChecks);
  const log = new RunLog(options.reporter);
  const clients = openClients(options);
  let failure: SnapshotError["code"] | undefined;
  try {
    const data = await runWithDatabase(options, clients, log);
    return resultOf(log.summary(), data);
  } catch (error) {
    const reported = options.signal?.aborted ? interrupted(error) : error;
    if (reported instanceof SnapshotError) failure = reported.code;
    throw reported;
  } finally {
    await clients.close();
    log.end(failure);
  }
}

async function runWithDatabase(
  options: AssembleOptions,
  clients: NetworkClients,
  log: RunLog,
): Promise<ExportData> {
  const startedAt = new Date();
  const settings = settingsOf(options);
  const { hashKey, signal } = settings;
  const { hashDb, gossip: file } = settings.agreement;
  const gossip = file === undefined ? undefined : { messages: new GossipFile(file, signal), source: file };
  const bare = { settings, clients, log, gossip, startedAt, known: undefined };
  if (hashDb === undefined) return await run(bare);
  // A run without a database does not load SQLite.
  const { KnownHashes } = await import("./assembly/known-hashes.ts");
  const known = KnownHashes.open(hashDb, hashKey, log);
  try {
    return await run({ ...bare, known });
  } finally {
    known.saveOffences();
    known.close();
  }
}

type Outcome =
  | { readonly kind: "published"; readonly data: ExportData }
  /** An older boundary may succeed. A failure that no older boundary avoids is thrown. */
  | { readonly kind: "unavailable"; readonly problem: Problem; readonly isNotHeld?: boolean };

async function run(run: Run): Promise<ExportData> {
  const { settings, log } = run;
  const { time, maxAgeMs } = settings.wanted;
  // An unusable directory fails the run before the first request.
  await requireOutput(settings.output.out);
  let unavailable: { readonly newestMs: number; readonly failure: SnapshotError } | undefined;
  for (let round = 1; ; round++) {
    log.stage("reading the node list and the cycle records");
    const lists = await readNetwork(settings.network, time, listContext(run), maxAgeMs);
    const txList = await readTxList(settings.network, lists.records, listContext(run));
    const archivers = await readArchivers(settings.network, lists.records, listContext(run));
    const network = { ...lists, txList, archivers };
    const newestMs = network.candidates[0]?.timestamp ?? Number.NEGATIVE_INFINITY;
    if (unavailable !== undefined && newestMs <= unavailable.newestMs) throw unavailable.failure;
    const outcome = await assembleNewest(run, network);
    if (outcome.kind === "published") return outcome.data;
    // What the validators do not hold any more is older than what they hold: meanwhile there may be a newer boundary.
    if (time.kind !== "latest" || !outcome.isNotHeld || round === latestRoundsMax) throw outcome.failure;
    unavailable = { newestMs, failure: outcome.failure };
  }
}

type NewestOutcome =
  | { readonly kind: "published"; readonly data: ExportData }
  | {
      readonly kind: "unavailable";
      readonly failure: SnapshotError;
      /** Whether the validators have agreed on a boundary of which nobody holds some partition. */
      readonly isNotHeld: boolean;
    };

/** Assembles the newest boundary that the validators hold and have agreed on. */
async function assembleNewest(run: Run, network: Network): Promise<NewestOutcome> {
  const { settings, known, log } = run;
  const { time } = settings.wanted;
  const { candidates, records } = network;
  try {
    if (settings.witnesses.requireChain) requireStateInChain(records);
    known?.claim(records);
    const sharding = new ShardingOfCycles(run, network);
    const problems: Problem[] = [];
    let isNotHeld = false;
    for (const [index, candidate] of candidates.entries()) {
      const attempt = { candidate, network, hasOlder: index + 1 < candidates.length };
      const outcome = await assembleBoundary(run, attempt, sharding);
      if (outcome.kind === "published") return outcome;
      problems.push(outcome.problem);
      isNotHeld ||= outcome.isNotHeld === true;
      if (candidates.length > 1) log.warn(outcome.problem.message);
    }
    const failure = noCandidateError(problems, candidates, time.kind === "latest", Date.now());
    return { kind: "unavailable", failure: await explained(failure, run, network), isNotHeld };
  } catch (error) {
    throw error instanceof SnapshotError ? await explained(error, run, network) : error;
  }
}

async function assembleBoundary(
  run: Run,
  attempt: Attempt,
  shardingOfCycles: ShardingOfCycles,
): Promise<Outcome> {
  const { settings, known, log } = run;
  const { candidate, network } = attempt;
  const { timestamp, members, different } = candidate;
  const cycle = candidate.cycle.counter;
  log.record({ type: "boundary", timestamp, cycle, partitions: members.nodes.length + 1 });
  if (different !== undefined) return { kind: "unavailable", problem: different };
  const unknown = describeUnknown(members, cycle);
  if (unknown !== undefined) log.warn(unknown);

  const sharding = await shardingOfCycles.of(candidate);
  const shard = shardOf(members.nodes.length, sharding);
  await prepareForSeeds(run, timestamp);
  const agreement = await agreeOn(run, candidate, shard, sharding.source);
  if (agreement.kind !== "agreed") return { kind: "unavailable", problem: describeUndecided(agreement) };
  const { agreed } = agreement;
  const { networkHash, partitionHashes } = agreed;
  const { requireChain, stateMetadata } = settings.witnesses;
  requireChainAgrees(network.records, cycle, networkHash, requireChain);
  if (stateMetadata !== undefined)
    await requireMetadataAgrees(stateMetadata, cycle, agreed, listContext(run));
  known?.saveAgreed(cycle, agreed);

  const data = { timestamp, cycle, hashKey: settings.hashKey, networkHash, partitionHashes };
  const place = await lockPlace(run, data);
  if (place.kind === "published") return alreadyPublished(run, attempt, data, place.findings);
  try {
    return await fillPlace(run, attempt, data, { network, sharding, agreed });
  } finally {
    await releasePlace(run, place.lock);
  }
}

/** Fetches and publishes what is not published yet. The caller holds the lock. */
async function fillPlace(run: Run, attempt: Attempt, data: ExportData, proof: Proof): Promise<Outcome> {
  const published = await checkPlace(run, data, attempt.network.candidates);
  if (published.state === "right") return alreadyPublished(run, attempt, data, published.findings);
  const shard = shardOf(attempt.candidate.members.nodes.length, proof.sharding);
  const fetched = await fetchPartitions(run, attempt, shard, proof.agreed, published);
  if (fetched.kind === "not-held") {
    return { kind: "unavailable", problem: fetched.problem, isNotHeld: true };
  }
  run.settings.signal?.throwIfAborted();
  warnOfAge(run, attempt);
  const lists = await withNextRecord(run, attempt);
  await publish(run, fetched.partial, data, { ...proof, network: lists });
  return { kind: "published", data };
}

function alreadyPublished(run: Run, attempt: Attempt, data: ExportData, findings: Findings): Outcome {
  const { directory, accounts, bytes } = findings;
  warnOfAge(run, attempt);
  run.log.stage("already published and verified");
  const partitions = [...data.partitionHashes.keys()];
  run.log.record({ type: "kept", partitions, accounts, bytes, source: { kind: "published" } });
  run.log.record({ type: "published", directory, digest: exportDataDigest(data) });
  return { kind: "published", data };
}

function warnOfAge({ settings, log }: Run, { candidate }: Attempt): void {
  if (settings.wanted.time.kind !== "latest" || settings.wanted.maxAgeMs !== undefined) return;
  const warning = ageWarning(candidate, Date.now());
  if (warning !== undefined) log.warn(warning);
}

function resultOf(summary: RunSummary, { timestamp, cycle, networkHash }: ExportData): AssembleResult {
  const { digest, directory } = summary;
  if (digest === null || directory === null) throw new Error("a run ended without a snapshot or an error");
  return { ...summary, timestamp, cycle, networkHash, digest, directory };
}

function interrupted(error: unknown): SnapshotError {
  if (error instanceof SnapshotError && error.code !== "interrupted") return error;
  return new SnapshotError("interrupted", "the run was interrupted before the snapshot was complete", {
    cause: error,
    hint: "Run again. Verified partitions are kept and not fetched again.",
  });
}
