/** The main job, without a terminal: from lists to a published snapshot. */

import type { AgreedHashes } from "../agreement/agreed-hashes.ts";
import { type AgreementContext, findAgreedHashes } from "../agreement/find-agreement.ts";
import { messageOf, SnapshotError, type SnapshotErrorCode, systemCodeOf } from "../errors/snapshot-error.ts";
import type { RunSummary } from "../events/assemble-events.ts";
import { RunLog } from "../events/run-log.ts";
import type { SyncEvent } from "../events/sync-events.ts";
import { artifactFile } from "../format/artifact.ts";
import type { CountingRules, TrustSource } from "../format/evidence/counting-rules.ts";
import { type ExportData, exportDataDigest } from "../format/export-data.ts";
import { requireOptions } from "../options/option-check.ts";
import { DEFAULT_HASH_KEY, hashText } from "../protocol/crypto/hash.ts";
import { type CycleRecord, networkConfigHashOf } from "../protocol/cycle-record.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import { queryOrder } from "../protocol/query-order.ts";
import type { Shard } from "../protocol/shard.ts";
import { removeLeftovers } from "../store/leftovers.ts";
import { PartialSnapshot } from "../store/partial-snapshot.ts";
import { acquireRunLock } from "../store/run-lock.ts";
import {
  lockPath,
  publishedPath,
  removePartial,
  requirePlace,
  restoreReplaced,
  syncPublished,
} from "../store/snapshot-place.ts";
import { PartitionFetch } from "../sync/fetch-partitions.ts";
import { IncompleteError } from "../sync/incomplete.ts";
import { PeerPool } from "../sync/peer-pool.ts";
import type { ArtifactStore, Clock, SyncPorts } from "../sync/ports.ts";
import type { SchedulerTask } from "../sync/scheduler.ts";
import { counted } from "../text/counted.ts";
import { ageWarning } from "../trust/chain/boundary.ts";
import { describeUnknown } from "../trust/chain/cycle-nodes.ts";
import { parseSnapshotTime, type SnapshotTime } from "../trust/chain/timestamp.ts";
import type { ListContext } from "../trust/list-source.ts";
import { type NetworkClients, openClients } from "../trust/node-addresses.ts";
import { type Candidate, type Network, readNetwork } from "../trust/read-network.ts";
import {
  describeSnapshotsOff,
  findSharding,
  requireSnapshotsOn,
  type Sharding,
  shardOf,
} from "../trust/sharding.ts";
import type { Findings } from "../verify/findings/findings.ts";
import { requireReadsBack } from "../verify/read-back.ts";
import { GossipFile } from "./assembly/gossip-file.ts";
import type { KnownHashes } from "./assembly/known-hashes.ts";
import { noCandidateError } from "./assembly/latest.ts";
import { type AssembleOptions, assembleChecks, defaults } from "./assembly/options.ts";
import { prepareArtifacts } from "./assembly/prepare.ts";
import {
  describeDamage,
  findPublished,
  type Published,
  publishedHashes,
  publishedNetconfig,
  publishedVotes,
} from "./assembly/published.ts";
import { makeRunRecord } from "./assembly/run-record.ts";
import { SnapshotTransport } from "./assembly/snapshot-transport.ts";
import { WakefulClock } from "./assembly/wakeful-clock.ts";
import { requireChainAgrees, requireMetadataAgrees, requireStateInChain } from "./assembly/witnesses.ts";
import { HttpGossipSource } from "./gossip-source.ts";

export interface AssembleResult extends RunSummary {
  readonly timestamp: number;
  readonly cycle: number;
  readonly networkHash: string;
  readonly digest: string;
  readonly directory: string;
}

/**
 * Assembles the snapshot of one cycle boundary, and publishes it in `options.out` as
 * `snapshot-<timestamp>` (FORMAT.md). Every artifact has the hash that the validators agreed on.
 *
 * @throws SnapshotError with a code that says what kind of failure it is, and a hint what to do
 */
export async function assemble(options: AssembleOptions): Promise<AssembleResult> {
  requireOptions("assemble", options, assembleChecks);
  const log = new RunLog(options.reporter);
  const clients = openClients(options);
  let failure: SnapshotError["code"] | undefined;
  try {
    return await new Assembly(options, clients, log).run();
  } catch (error) {
    const told = options.signal?.aborted ? interrupted(error) : error;
    if (told instanceof SnapshotError) failure = told.code;
    throw told;
  } finally {
    await clients.close();
    options.reporter?.report({ type: "end", summary: log.summary(), failure });
  }
}

/** One boundary to assemble the snapshot of. */
interface Attempt {
  readonly candidate: Candidate;
  readonly network: Network;
  readonly given: AgreementContext["given"];
  readonly startedAt: Date;
  readonly isLatest: boolean;
  /** Whether there is an older boundary to fall back to. */
  readonly hasOlder: boolean;
}

type RightlyPublished = Extract<Published, { readonly state: "right" }>;
type DamagedlyPublished = Extract<Published, { readonly state: "damaged" }>;

class Assembly {
  readonly #options: AssembleOptions;
  readonly #clients: NetworkClients;
  readonly #log: RunLog;
  readonly #hashKey: string;
  /** By the hash of the network's configuration. */
  readonly #shardings = new Map<string | undefined, Sharding>();
  #known: KnownHashes | undefined;

  constructor(options: AssembleOptions, clients: NetworkClients, log: RunLog) {
    this.#options = options;
    this.#clients = clients;
    this.#log = log;
    this.#hashKey = options.hashKey ?? DEFAULT_HASH_KEY;
  }

  async run(): Promise<AssembleResult> {
    const { hashDb } = this.#options;
    if (hashDb !== undefined) {
      // Without a database, SQLite is not loaded.
      const { KnownHashes } = await import("./assembly/known-hashes.ts");
      this.#known = KnownHashes.open(hashDb, this.#hashKey, this.#log);
    }
    try {
      return await this.#assemble();
    } finally {
      this.#known?.saveOffences();
      this.#known?.close();
    }
  }

  /** Of the boundaries that `latest` can mean, the newest one that validators have hashes of and hold is taken. */
  async #assemble(): Promise<AssembleResult> {
    const startedAt = new Date();
    // Before anybody is asked for anything.
    await requirePlace(this.#options.out);
    this.#log.stage("reading the node list and the cycle records");
    const { maxAgeMs } = this.#options;
    const time = timeOf(this.#options.timestamp);
    const isLatest = time.kind === "latest";
    if (maxAgeMs !== undefined && !isLatest) throw onlyForLatest();
    const network = await readNetwork(this.#options, time, this.#context(), maxAgeMs);
    try {
      return await this.#newestHeld(network, startedAt, isLatest);
    } catch (error) {
      throw error instanceof SnapshotError ? await this.#explained(error, network) : error;
    }
  }

  async #newestHeld(network: Network, startedAt: Date, isLatest: boolean): Promise<AssembleResult> {
    const { candidates, records } = network;
    if (this.#options.requireChain === true) requireStateInChain(records);
    this.#known?.claim(records);
    const given = this.#givenMessages();
    const failures: SnapshotError[] = [];
    for (const [index, candidate] of candidates.entries()) {
      const hasOlder = index + 1 < candidates.length;
      const attempt = { candidate, network, given, startedAt, isLatest, hasOlder };
      const result = await this.#attempt(attempt);
      if (!(result instanceof SnapshotError)) return result;
      failures.push(result);
      if (candidates.length > 1) this.#log.warn(result.message);
    }
    throw noCandidateError(failures, candidates, isLatest, Date.now());
  }

  /** Why nobody gives hashes or accounts, where the network as a whole explains it. */
  async #explained(failure: SnapshotError, network: Network): Promise<SnapshotError> {
    if (!unheld.has(failure.code)) return failure;
    const { inactive } = network;
    const off = await this.#whySnapshotsAreOff(network);
    if (inactive === undefined && off === undefined) return failure;
    const { code, hint = "" } = inactive ?? failure;
    const message = inactive === undefined ? failure.message : `${inactive.message}; ${failure.message}`;
    const hints = off === undefined ? hint : `${off} ${hint}`.trim();
    return new SnapshotError(code, message, { details: failure.details, hint: hints, cause: failure });
  }

  /** Where the settings were given, nobody has been asked for the configuration yet. It changes nothing here. */
  async #whySnapshotsAreOff(network: Network): Promise<string | undefined> {
    const { nodesPerConsensusGroup, nodesPerEdge } = this.#options;
    const [candidate] = network.candidates;
    if (nodesPerConsensusGroup === undefined || nodesPerEdge === undefined || candidate === undefined)
      return undefined;
    this.#log.stage("asking validators why there are no snapshots");
    const context = { ...this.#context(), client: this.#clients.nodes };
    const configHash = networkConfigHashOf(candidate.cycle);
    return await describeSnapshotsOff(respondents(network, candidate), configHash, context);
  }

  /** A failure is returned where an older boundary may do better, and thrown where it would not. */
  async #attempt(attempt: Attempt): Promise<AssembleResult | SnapshotError> {
    const { candidate, network, startedAt } = attempt;
    const { timestamp, cycle, members, different } = candidate;
    this.#log.begin(timestamp, cycle.counter, members.nodes.length + 1);
    if (different !== undefined) return different;
    const unknown = describeUnknown(members, cycle.counter);
    if (unknown !== undefined) this.#log.warn(unknown);
    const sharding = await this.#sharding(network, candidate);
    this.#log.areSettingsProved = sharding.source !== "told";
    requireSnapshotsOn(sharding, cycle.counter);
    const shard = shardOf(members.nodes.length, sharding);
    const agreed = await this.#agreeOn(attempt, shard, sharding.source);
    if (agreed instanceof SnapshotError) return agreed;
    await this.#hearWitnesses(network.records, cycle.counter, agreed);
    this.#known?.saveAgreed(cycle.counter, agreed);
    const { networkHash, partitionHashes } = agreed;
    const data = { timestamp, cycle: cycle.counter, hashKey: this.#hashKey, networkHash, partitionHashes };
    const { out, signal } = this.#options;
    const spot = { out, timestamp };
    const lock = await acquireRunLock(lockPath(spot)).catch((error: unknown) => this.#unlocked(error, data));
    if ("state" in lock) {
      this.#warnOfAge(attempt);
      return this.#alreadyPublished(lock.findings, data);
    }
    try {
      await restoreReplaced(spot);
      await this.#removeLeftovers(network);
      const published = await findPublished(out, data, this.#options);
      if (published.state === "right") {
        await syncPublished(spot);
        await removePartial(spot).catch((error: unknown) => this.#log.warn(messageOf(error)));
        this.#warnOfAge(attempt);
        return this.#alreadyPublished(published.findings, data);
      }
      if (published.state === "damaged") this.#tellDamage(published, publishedPath(spot));
      const partial = await this.#fetch(attempt, shard, agreed, published);
      if (partial instanceof SnapshotError) return partial;
      signal?.throwIfAborted();
      this.#warnOfAge(attempt);
      return await this.#publish(partial, network, sharding, data, agreed, startedAt);
    } finally {
      const unreleased = await lock.release();
      if (unreleased !== undefined) this.#log.warn(unreleased.message);
    }
  }

  /** Where nothing may be written, nothing can be locked: what is published there may be right all the same. */
  async #unlocked(error: unknown, data: ExportData): Promise<RightlyPublished> {
    if (!isReadOnly(error)) throw error;
    const published = await findPublished(this.#options.out, data, this.#options).catch(() => undefined);
    if (published?.state !== "right") throw error;
    return published;
  }

  #tellDamage({ damage, omitted }: DamagedlyPublished, directory: string): void {
    this.#log.damaged(damage);
    this.#log.warn(describeDamage(directory, damage, omitted));
  }

  /** Where the export data are damaged, their check says nothing of the artifacts. */
  #tellUntaken(missing: ReadonlySet<number>, { damage }: DamagedlyPublished): void {
    const files = [...missing].map((partition) => artifactFile(partition, "none"));
    const untold = files
      .filter((name) => !damage.some(({ file }) => file.startsWith(name)))
      .map((file) => ({ file, problem: "it is missing, or does not have the hash that was agreed on" }));
    if (untold.length === 0) return;
    this.#log.damaged(untold);
    this.#log.warn(`the published snapshot also lacks ${untold.map(({ file }) => file).join(", ")}`);
  }

  /** Of other runs. What this run may yet fall back to is kept. */
  async #removeLeftovers({ candidates }: Network): Promise<void> {
    const kept = new Set(candidates.map(({ timestamp }) => timestamp));
    for (const { message } of await removeLeftovers(this.#options.out, kept)) this.#log.warn(message);
  }

  #warnOfAge({ candidate, isLatest }: Attempt): void {
    if (!isLatest || this.#options.maxAgeMs !== undefined) return;
    const warning = ageWarning(candidate, Date.now());
    if (warning !== undefined) this.#log.warn(warning);
  }

  #context(): ListContext {
    const { signal } = this.#options;
    return {
      client: this.#clients.lists,
      hashKey: this.#hashKey,
      signal,
      warn: (message) => this.#log.warn(message),
    };
  }

  #givenMessages(): AgreementContext["given"] {
    const { gossip, signal } = this.#options;
    return gossip === undefined ? [] : [{ messages: new GossipFile(gossip, signal), source: gossip }];
  }

  /** The settings of a cycle, looked up once for all cycles of the same configuration. */
  async #sharding(network: Network, candidate: Candidate): Promise<Sharding> {
    const { cycle, timestamp } = candidate;
    const configHash = networkConfigHashOf(cycle);
    const known = this.#shardings.get(configHash);
    if (known !== undefined) return known;
    this.#log.stage("asking validators for the sharding settings");
    const { out, signal } = this.#options;
    const kept = await publishedNetconfig({ out, timestamp }, signal);
    const context = { ...this.#context(), client: this.#clients.nodes, kept };
    const sharding = await findSharding(respondents(network, candidate), this.#options, configHash, context);
    this.#shardings.set(configHash, sharding);
    return sharding;
  }

  async #agreeOn(
    { candidate, given }: Attempt,
    shard: Shard,
    shardingSource: TrustSource,
  ): Promise<AgreedHashes | SnapshotError> {
    const { out, quorum, allowEmpty, signal } = this.#options;
    const { counter } = candidate.cycle;
    this.#log.stage(`asking the validators for the hashes of cycle ${counter}`);
    const known = this.#known === undefined ? [] : [this.#known.given(counter)];
    const spot = { out, timestamp: candidate.timestamp, hashKey: this.#hashKey };
    const published = await publishedVotes(spot, shard.numNodes, signal);
    const agreed = await findAgreedHashes(counter, {
      source: new HttpGossipSource(this.#clients.nodes),
      nodes: candidate.members.nodes,
      shard,
      shardingSource,
      hashKey: this.#hashKey,
      quorum: quorum ?? defaults.quorum,
      allowEmpty: allowEmpty === true,
      given: [...given, ...known, ...published],
      log: this.#log,
      signal,
    });
    return "notYet" in agreed ? agreed.notYet : agreed;
  }

  /** The cycle chain and, where it is given, the word of an archiver's node may only disagree. */
  async #hearWitnesses(records: readonly CycleRecord[], cycle: number, agreed: AgreedHashes): Promise<void> {
    const { requireChain, stateMetadata } = this.#options;
    requireChainAgrees(records, cycle, agreed.networkHash, requireChain === true);
    if (stateMetadata !== undefined)
      await requireMetadataAgrees(stateMetadata, cycle, agreed, this.#context());
  }

  /** A failure is returned where nobody holds the snapshot and an older one may be held. */
  async #fetch(
    { candidate, hasOlder }: Attempt,
    shard: Shard,
    agreed: AgreedHashes,
    published: Published,
  ): Promise<PartialSnapshot | SnapshotError> {
    const { out, compression, order, concurrency, signal } = this.#options;
    const { timestamp, members } = candidate;
    const { nodes } = members;
    const place = {
      out,
      timestamp,
      compression: compression ?? defaults.compression,
      hashKey: this.#hashKey,
    };
    const partial = await PartialSnapshot.open(place);
    const missing = await prepareArtifacts(partial, agreed.partitionHashes, {
      hashKey: this.#hashKey,
      published: published.state === "none" ? undefined : await publishedHashes(place, shard.numNodes),
      log: this.#log,
      signal,
    });
    if (published.state === "damaged") this.#tellUntaken(missing, published);
    this.#log.stage(`fetching ${missing.size} of ${counted(shard.numNodes + 1, "partition")}`);
    const pool = new PeerPool(nodes, shard, queryOrder(shard.numNodes), this.#known?.ranks(nodes));
    const task: SchedulerTask = {
      shard,
      timestamp,
      missing,
      agreedHashes: agreed.partitionHashes,
      emptyHash: hashText(EMPTY_PREIMAGE, this.#hashKey),
      rule: order ?? defaults.order,
      concurrency: concurrency ?? defaults.concurrency,
      hasOlder,
    };
    const clock = new WakefulClock();
    const stopClock = clock.start();
    const fetch = new PartitionFetch(task, pool, this.#ports(partial, shard, agreed, clock));
    try {
      await fetch.run(signal);
    } catch (error) {
      if (!(error instanceof IncompleteError) || !error.isHeldByNobody) throw error;
      return error;
    } finally {
      stopClock();
      await partial.dropIncoming().catch(() => undefined);
    }
    return partial;
  }

  #ports(partial: PartialSnapshot, shard: Shard, agreed: AgreedHashes, clock: Clock): SyncPorts {
    const transport = new SnapshotTransport(this.#clients.nodes, {
      shard,
      hashKey: this.#hashKey,
      incomingPath: (response, partition) => partial.incomingPath(response, partition),
    });
    const store: ArtifactStore = {
      accept: ({ partition, path }) => partial.accept(partition, path),
      discard: ({ path }) => partial.discard(path),
      freeBytes: () => partial.freeBytes(),
    };
    const emit = (event: SyncEvent) => {
      this.#log.sync(event);
      if (event.type === "mismatched") this.#known?.noteMismatch(event.node, event.mismatch, agreed);
    };
    return { transport, store, clock, random: Math.random, emit };
  }

  async #publish(
    partial: PartialSnapshot,
    network: Network,
    { nodesPerConsensusGroup, nodesPerEdge, source, proof }: Sharding,
    data: ExportData,
    agreed: AgreedHashes,
    startedAt: Date,
  ): Promise<AssembleResult> {
    this.#log.stage("publishing");
    const size = { accounts: this.#log.accounts, bytes: this.#log.stateBytes };
    const counting: CountingRules = {
      sharding: { nodesPerConsensusGroup, nodesPerEdge, source },
      quorum: { rule: this.#options.quorum ?? defaults.quorum, source: "given" },
    };
    const evidence = {
      nodeList: network.nodeList,
      cycles: network.cycles,
      counting,
      netconfig: proof,
      gossip: agreed.votes.evidence(),
    };
    const run = makeRunRecord({ startedAt, agreed, options: this.#options, log: this.#log });
    const manifest = await partial.complete(data, size, evidence, run);
    await requireReadsBack(partial.directory, { quorum: this.#options.quorum, signal: this.#options.signal });
    const directory = await partial.putInPlace(({ message }) => this.#log.warn(message));
    return this.#result(directory, manifest.snapshot.digest, data);
  }

  #alreadyPublished({ directory, accounts, bytes }: Findings, data: ExportData): AssembleResult {
    this.#log.stage("this snapshot is published already, and is right");
    this.#log.allVerified(data.partitionHashes.keys(), { accounts, bytes }, { kind: "published" });
    return this.#result(directory, exportDataDigest(data), data);
  }

  #result(directory: string, digest: string, { timestamp, cycle, networkHash }: ExportData): AssembleResult {
    this.#log.directory = directory;
    this.#log.digest = digest;
    return { ...this.#log.summary(), timestamp, cycle, networkHash, digest, directory };
  }
}

/** What a run ends with where the validators have no hashes, or no accounts, of the time that is meant. */
const unheld: ReadonlySet<SnapshotErrorCode> = new Set(["no-agreement", "gone", "temporary"]);

/**
 * Who is asked for the configuration: the nodes of today, since one that has left does not respond, and the hash in the
 * record proves what they state.
 */
function respondents({ nodes }: Network, { members }: Candidate): readonly ActiveNode[] {
  return nodes.length > 0 ? nodes : members.nodes;
}

function timeOf(timestamp: AssembleOptions["timestamp"]): SnapshotTime {
  return typeof timestamp === "object" ? timestamp : parseSnapshotTime(String(timestamp));
}

function onlyForLatest(): SnapshotError {
  return new SnapshotError(
    "usage",
    "--max-age is a limit for --timestamp latest: another timestamp is as old as it is",
    {
      hint: "Leave --max-age out, or give --timestamp latest.",
    },
  );
}

/** Whether it failed since nothing may be written there. SQLite cannot open a lock file that it may not write to. */
function isReadOnly(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code !== undefined && readOnlyCodes.has(code);
}

const readOnlyCodes = new Set(["EROFS", "EACCES", "EPERM", "SQLITE_READONLY", "SQLITE_CANTOPEN"]);

function interrupted(error: unknown): SnapshotError {
  if (error instanceof SnapshotError && error.code !== "interrupted") return error;
  return new SnapshotError("interrupted", "the run was ended before the snapshot was complete", {
    cause: error,
    hint: "Run again: what is verified is kept and not fetched again.",
  });
}
