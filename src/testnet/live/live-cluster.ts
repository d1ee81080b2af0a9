/**
 * A live cluster: validators in processes of their own, an archiver, and transactions until it is stopped. The cluster
 * itself makes the order of transactions and the cycle records, on which a real network agrees by consensus.
 */

import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { diskError, type SnapshotError } from "../../errors/snapshot-error.ts";
import { allPartitions } from "../../protocol/shard.ts";
import { archiverIdentity, makeNodeList, type NodeRow } from "../cluster/archiver-server.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import type { JsonServer } from "../validator/json-server.ts";
import { openDirectory, removeTree } from "./cluster-directory.ts";
import { makeLiveArchiver } from "./live-archiver.ts";
import { LiveChain } from "./live-chain.ts";
import { liveNetwork, setUpNodes } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import { Sequencer } from "./sequencer.ts";
import { TransactionLog } from "./transaction-log.ts";
import { type SupervisorEvent, ValidatorSupervisor } from "./validator-supervisor.ts";

/** The description of a running live cluster. */
export interface LiveClusterDescription {
  readonly name: "live";
  readonly archiverUrl: string;
  /** 64 hex digits, for `--archiver-key`. */
  readonly archiverPublicKey: string;
  /** In ascending order of ID. A node that is down has a URL too. */
  readonly nodes: readonly {
    readonly index: number;
    readonly id: string;
    readonly url: string;
    readonly pid: number | null;
  }[];
  /** Seconds. */
  readonly cycleDuration: number;
  readonly snapshotEvery: number;
  /** The start of cycle 0, in milliseconds. */
  readonly startMs: number;
  /** The sum of all balances, which transactions do not change; decimal. */
  readonly totalBalance: string;
  /** Contains the databases, the exports, and the two files below. */
  readonly directory: string;
  /** The files of the genesis accounts and of all transactions since, one a line. */
  readonly genesis: string;
  readonly transactionLog: string;
}

export interface LiveCluster extends LiveClusterDescription {
  /** Resolves if the cluster fails, for example because its transaction log cannot be written. */
  readonly failed: Promise<SnapshotError>;
  /** Ends all processes and servers. */
  stop(): Promise<void>;
}

export type LiveEvent = SupervisorEvent & { readonly validator: number };

export interface LiveClusterOptions {
  readonly host?: string;
  /** Must be new or empty, and is kept. By default the cluster uses a temporary directory, and removes it at the end. */
  readonly directory?: string | undefined;
  readonly report?: (event: LiveEvent) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

/** The time between additions to the transaction log. */
const tickMs = 100;

/** The time from the readiness of all validators to the start of cycle 0: they receive the node list. */
const leadSeconds = 1;

/**
 * Starts validators that are processes, with an archiver and a stream of transactions.
 *
 * @throws SnapshotError where the settings or the directory are invalid
 */
export async function startLiveCluster(
  settings: LiveSettings,
  options: LiveClusterOptions = {},
): Promise<LiveCluster> {
  const network = liveNetwork(settings);
  const setups = setUpNodes(settings, network);
  const directory = await openDirectory(options.directory);
  const cluster = new RunningCluster(settings, network, directory, options);
  try {
    return await cluster.start((index) => setups[index]?.isListening === false);
  } catch (error) {
    await cluster.stop();
    // A failed start leaves the directory empty, so that it can be used again.
    for (const name of await readdir(directory).catch(() => [])) await removeTree(join(directory, name));
    options.signal?.throwIfAborted();
    throw error;
  }
}

class RunningCluster {
  readonly #settings: LiveSettings;
  readonly #network: ClusterNetwork;
  readonly #directory: string;
  readonly #options: LiveClusterOptions;
  readonly #ending = new AbortController();
  #log: TransactionLog | undefined;
  #archiver: JsonServer | undefined;
  #supervisors: ValidatorSupervisor[] = [];
  #nodeList: readonly NodeRow[] | undefined;
  #chain: LiveChain | undefined;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    settings: LiveSettings,
    network: ClusterNetwork,
    directory: string,
    options: LiveClusterOptions,
  ) {
    this.#settings = settings;
    this.#network = network;
    this.#directory = directory;
    this.#options = options;
  }

  async start(isDown: (index: number) => boolean): Promise<LiveCluster> {
    const genesis = join(this.#directory, "genesis.jsonl");
    const { signal } = this.#options;
    await pipeline(Readable.from(this.#genesisLines()), createWriteStream(genesis), signal ? { signal } : {});
    const log = await TransactionLog.create(join(this.#directory, "transactions.jsonl"));
    this.#log = log;
    const archiver = makeLiveArchiver({
      network: this.#network,
      log,
      nodeList: () => this.#nodeList,
      chain: () => this.#chain,
    });
    this.#archiver = archiver;
    const archiverUrl = await archiver.listen(this.#host);
    const urls = await this.#startValidators(archiverUrl, isDown);
    this.#options.signal?.throwIfAborted();
    this.#nodeList = makeNodeList(this.#network, urls);
    const startSeconds = Math.ceil(Date.now() / 1000) + leadSeconds;
    const { cycleDuration, snapshotEvery } = this.#settings;
    const sequencer = new Sequencer(this.#settings, this.#network, startSeconds);
    const totalBalance = String(sequencer.totalBalance);
    this.#chain = new LiveChain(this.#settings, startSeconds);
    await log.append([{ type: "start", start: startSeconds, duration: cycleDuration }]);
    const running = this.#run(log, this.#chain, sequencer, startSeconds * 1000);
    const failed = new Promise<SnapshotError>((resolve) => {
      this.#running = running.catch((error: unknown) =>
        resolve(diskError(`cannot write ${log.path}`, error)),
      );
    });
    return {
      failed,
      name: "live",
      archiverUrl,
      archiverPublicKey: archiverIdentity(this.#network.seed).publicKey,
      nodes: this.#network.identities.map(({ id }, index) => ({
        index,
        id,
        url: urls[index] ?? "",
        pid: this.#supervisors[index]?.pid ?? null,
      })),
      cycleDuration,
      snapshotEvery,
      startMs: startSeconds * 1000,
      totalBalance,
      directory: this.#directory,
      genesis,
      transactionLog: log.path,
      stop: () => this.stop(),
    };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  get #host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  async #startValidators(archiverUrl: string, isDown: (index: number) => boolean): Promise<string[]> {
    this.#supervisors = this.#network.identities.map((_, index) => {
      const directory = join(this.#directory, `validator-${index}`);
      const own = { live: this.#settings, index, host: this.#host, port: 0, archiverUrl, directory };
      return new ValidatorSupervisor(own, (event) => this.#options.report?.({ ...event, validator: index }));
    });
    const starts = Promise.all(this.#supervisors.map((supervisor) => supervisor.start()));
    starts.catch(() => undefined);
    const urls = await Promise.race([
      starts,
      ...(this.#options.signal ? [aborted(this.#options.signal)] : []),
    ]);
    // Stopped last, so that no other validator gets the port of one that is down.
    await Promise.all(
      this.#supervisors.filter((_, index) => isDown(index)).map((supervisor) => supervisor.stop()),
    );
    return urls;
  }

  *#genesisLines(): Generator<string> {
    const { state, shard } = this.#network;
    for (const partition of allPartitions(shard)) {
      for (const account of state.accounts(partition)) yield `${JSON.stringify(account)}\n`;
    }
  }

  /** Adds transactions when they are due, and begins a cycle at the end of the one before. */
  async #run(log: TransactionLog, chain: LiveChain, sequencer: Sequencer, startMs: number): Promise<void> {
    const { signal } = this.#ending;
    await sleep(Math.max(0, startMs - Date.now()), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) chain.begin();
    while (!signal.aborted) {
      const entries = sequencer.until(Date.now());
      for (const entry of entries) if (entry.type === "cycle-end") chain.begin();
      await log.append(entries);
      await sleep(tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
    await this.#archiver?.close();
    await this.#running;
    await this.#log?.close();
    if (this.#options.directory === undefined) await removeTree(this.#directory);
  }
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
