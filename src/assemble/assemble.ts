/** The main job, without a terminal: from lists to a published snapshot. */

import { ageWarning, type Boundary } from "../chain/boundary.ts";
import { parseSnapshotTime, type SnapshotTime } from "../chain/timestamp.ts";
import { type CycleRecord, networkConfigHashOf } from "../model/cycle.ts";
import { type ExportData, exportDataDigest } from "../model/export-data.ts";
import { Failure } from "../model/failure.ts";
import { DEFAULT_HASH_KEY } from "../model/hash.ts";
import { latestCandidatesMax } from "../model/limits.ts";
import type { Shard } from "../model/shard.ts";
import type { ListContext } from "../network/list-source.ts";
import { type NetworkClients, openClients } from "../network/node-addresses.ts";
import { findSharding, type Sharding, shardOf } from "../network/sharding.ts";
import { queryOrder } from "../plan/query-order.ts";
import { lockPath, PartialSnapshot, requirePlace } from "../store/partial-snapshot.ts";
import { acquireRunLock } from "../store/run-lock.ts";
import type { Findings } from "../verify/findings.ts";
import type { CountingRules } from "../wire/counting-rules.ts";
import { type AgreedHashes, type AgreementContext, findAgreedHashes } from "./agree.ts";
import { PartitionFetch } from "./fetch-partitions.ts";
import { GossipFile } from "./gossip-file.ts";
import type { KnownHashes } from "./known-hashes.ts";
import { differentNodes, type Network, readNetwork } from "./network.ts";
import { NodeBook } from "./node-book.ts";
import { type AssembleOptions, defaults } from "./options.ts";
import { prepareArtifacts } from "./prepare.ts";
import { findPublished } from "./published.ts";
import { requireReadsBack } from "./read-back.ts";
import type { RunSummary } from "./reporter.ts";
import { RunLog } from "./run-log.ts";
import { runRecord } from "./run-record.ts";
import { requireChainAgrees, requireMetadataAgrees } from "./witnesses.ts";

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
 * @throws Failure with a code that says what kind of failure it is, and a hint what to do
 */
export async function assemble(options: AssembleOptions): Promise<AssembleResult> {
  const log = new RunLog(options.reporter);
  const clients = openClients(options);
  let failure: Failure["code"] | undefined;
  try {
    return await new Assembly(options, clients, log).run();
  } catch (error) {
    const told = options.signal?.aborted ? interrupted(error) : error;
    if (told instanceof Failure) failure = told.code;
    throw told;
  } finally {
    await clients.close();
    options.reporter?.report({ type: "end", summary: log.summary(), failure });
  }
}

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
      const { KnownHashes } = await import("./known-hashes.ts");
      this.#known = KnownHashes.open(hashDb, this.#hashKey, this.#log);
    }
    try {
      return await this.#assemble();
    } finally {
      this.#known?.learnOffences();
      this.#known?.close();
    }
  }

  async #assemble(): Promise<AssembleResult> {
    const startedAt = new Date();
    const { out, signal } = this.#options;
    // Before anybody is asked for anything.
    await requirePlace(out);
    this.#log.stage("reading the node list and the cycle records");
    const { maxAgeMs } = this.#options;
    const time = timeOf(this.#options.timestamp);
    if (maxAgeMs !== undefined && time.kind !== "latest") throw onlyForLatest();
    const network = await readNetwork(this.#options, time, this.#context(), maxAgeMs);
    this.#known?.claim(network.records);
    const { boundary, agreed, sharding } = await this.#agree(network);
    const shard = shardOf(network.nodes.length, sharding);
    if (time.kind === "latest" && maxAgeMs === undefined) {
      const warning = ageWarning(boundary, Date.now());
      if (warning !== undefined) this.#log.warn(warning);
    }
    await this.#hearWitnesses(network.records, boundary.cycle.counter, agreed);
    this.#known?.learn(boundary.cycle.counter, agreed);
    const { timestamp, cycle } = boundary;
    const { networkHash, partitionHashes } = agreed;
    const data = { timestamp, cycle: cycle.counter, hashKey: this.#hashKey, networkHash, partitionHashes };
    const lock = await acquireRunLock(lockPath({ out, timestamp }));
    try {
      const published = await findPublished(out, data, this.#options.quorum);
      if (published !== undefined) return this.#alreadyPublished(published, data);
      const partial = await this.#fetch(network, shard, boundary, agreed);
      signal?.throwIfAborted();
      return await this.#publish(partial, network, sharding, data, agreed, startedAt);
    } finally {
      await lock.release();
    }
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

  /** Of the boundaries that `latest` can mean, the newest one that validators have hashes of is taken. */
  async #agree(network: Network): Promise<{ boundary: Boundary; agreed: AgreedHashes; sharding: Sharding }> {
    const { gossip, quorum, allowEmpty, signal } = this.#options;
    const given = gossip === undefined ? [] : [{ messages: new GossipFile(gossip, signal), source: gossip }];
    const context = {
      client: this.#clients.nodes,
      nodes: network.nodes,
      hashKey: this.#hashKey,
      quorum: quorum ?? defaults.quorum,
      allowEmpty: allowEmpty === true,
      given,
      log: this.#log,
      signal,
    };
    let first: Failure | undefined;
    for (const boundary of network.boundaries.slice(0, latestCandidatesMax)) {
      const sharding = await this.#sharding(network, boundary.cycle);
      this.#log.areSettingsProved = sharding.source !== "told";
      const shard = shardOf(network.nodes.length, sharding);
      const agreed = await this.#agreeOn(boundary, { ...context, shard, shardingSource: sharding.source });
      if (!(agreed instanceof Failure)) return { boundary, agreed, sharding };
      // What is said in the end is what is wrong with the one that was meant.
      first ??= agreed;
      if (network.boundaries.length > 1) this.#log.warn(agreed.message);
    }
    throw first ?? new Error("there is no boundary to agree on");
  }

  /** The settings of a cycle, looked up once for all cycles of the same configuration. */
  async #sharding({ nodes }: Network, cycle: CycleRecord): Promise<Sharding> {
    const configHash = networkConfigHashOf(cycle);
    const known = this.#shardings.get(configHash);
    if (known !== undefined) return known;
    this.#log.stage("asking validators for the sharding settings");
    const context = { ...this.#context(), client: this.#clients.nodes };
    const sharding = await findSharding(nodes, this.#options, configHash, context);
    this.#shardings.set(configHash, sharding);
    return sharding;
  }

  /** A failure is answered where an older boundary may do better, and thrown where it would not. */
  async #agreeOn({ timestamp, cycle }: Boundary, context: AgreementContext): Promise<AgreedHashes | Failure> {
    this.#log.timestamp = timestamp;
    this.#log.cycle = cycle.counter;
    this.#log.partitionsTotal = context.shard.numNodes + 1;
    const otherNodes = differentNodes(context.nodes, cycle);
    if (otherNodes !== undefined) return otherNodes;
    this.#log.stage(`asking the validators for the hashes of cycle ${cycle.counter}`);
    const known = this.#known === undefined ? [] : [this.#known.given(cycle.counter)];
    const agreed = await findAgreedHashes(cycle.counter, { ...context, given: [...context.given, ...known] });
    return "notYet" in agreed ? agreed.notYet : agreed;
  }

  /** The cycle chain and, where it is given, the word of an archiver's node may only disagree. */
  async #hearWitnesses(records: readonly CycleRecord[], cycle: number, agreed: AgreedHashes): Promise<void> {
    const { requireChain, stateMetadata } = this.#options;
    requireChainAgrees(records, cycle, agreed.networkHash, requireChain === true);
    if (stateMetadata !== undefined)
      await requireMetadataAgrees(stateMetadata, cycle, agreed, this.#context());
  }

  async #fetch(
    network: Network,
    shard: Shard,
    boundary: Boundary,
    agreed: AgreedHashes,
  ): Promise<PartialSnapshot> {
    const { out, compression, order, concurrency, signal } = this.#options;
    const { timestamp } = boundary;
    const place = { out, timestamp, compression: compression ?? defaults.compression };
    const partial = await PartialSnapshot.open(place);
    const missing = await prepareArtifacts(partial, agreed.partitionHashes, this.#hashKey, this.#log, signal);
    this.#log.stage(`fetching ${missing.size} of ${shard.numNodes + 1} partitions`);
    const fetch = new PartitionFetch(missing, {
      client: this.#clients.nodes,
      shard,
      timestamp,
      hashKey: this.#hashKey,
      agreedHashes: agreed.partitionHashes,
      book: new NodeBook(network.nodes, shard, queryOrder(shard.numNodes), this.#known?.ranks(network.nodes)),
      order: order ?? defaults.order,
      concurrency: concurrency ?? defaults.concurrency,
      log: this.#log,
      signal,
      onWrong: (node, wrong) => this.#known?.sawWrong(node, wrong, agreed),
      incomingPath: (answer, partition) => partial.incomingPath(answer, partition),
      freeBytes: () => partial.freeBytes(),
      accept: (partition, path) => partial.accept(partition, path),
      discard: (path) => partial.discard(path),
    });
    try {
      await fetch.run();
    } finally {
      await partial.dropIncoming().catch(() => undefined);
    }
    return partial;
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
      gossip: agreed.box.evidence(),
    };
    const run = runRecord({ startedAt, agreed, options: this.#options, log: this.#log });
    const manifest = await partial.complete(data, size, evidence, run);
    await requireReadsBack(partial.directory, { quorum: this.#options.quorum, signal: this.#options.signal });
    const directory = await partial.putInPlace();
    return this.#result(directory, manifest.snapshot.digest, data);
  }

  #alreadyPublished({ directory, accounts, bytes }: Findings, data: ExportData): AssembleResult {
    this.#log.stage("this snapshot is published already, and is right");
    this.#log.allVerified(data.partitionHashes.keys(), { accounts, bytes }, "the published snapshot");
    return this.#result(directory, exportDataDigest(data), data);
  }

  #result(directory: string, digest: string, { timestamp, cycle, networkHash }: ExportData): AssembleResult {
    this.#log.directory = directory;
    this.#log.digest = digest;
    return { ...this.#log.summary(), timestamp, cycle, networkHash, digest, directory };
  }
}

function timeOf(timestamp: AssembleOptions["timestamp"]): SnapshotTime {
  return typeof timestamp === "object" ? timestamp : parseSnapshotTime(String(timestamp));
}

function onlyForLatest(): Failure {
  return new Failure(
    "usage",
    "--max-age is a limit for --timestamp latest: another timestamp is as old as it is",
    {
      hint: "Leave --max-age out, or give --timestamp latest.",
    },
  );
}

function interrupted(error: unknown): Failure {
  if (error instanceof Failure && error.code !== "interrupted") return error;
  return new Failure("interrupted", "the run was ended before the snapshot was complete", {
    cause: error,
    hint: "Run again: what is verified is kept and not fetched again.",
  });
}
