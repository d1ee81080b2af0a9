/**
 * A live cluster: validators in processes of their own, an archiver, and transactions until it is stopped. The cluster
 * itself makes the order of transactions, the changes of the nodes and the cycle records, on which a real network agrees
 * by consensus.
 */

import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { diskError, type SnapshotError } from "../../errors/snapshot-error.ts";
import type { Cycle } from "../../protocol/brands.ts";
import { archiverIdentity } from "../cluster/archiver-server.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import type { JsonServer } from "../validator/json-server.ts";
import type { LogEntry } from "../validator/state/log-entry.ts";
import { openDirectory, removeTree } from "./cluster-directory.ts";
import { makeLiveArchiver } from "./live-archiver.ts";
import { LiveChain } from "./live-chain.ts";
import { genesisAccounts, liveNetwork, setUpNodes } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import { LiveValidators, type ValidatorEvent } from "./live-validators.ts";
import { type CycleMembers, NetworkMembers } from "./membership/network-members.ts";
import { type MembershipPlan, makeMembershipPlan, type PlannedChange } from "./membership/planned-change.ts";
import { Sequencer } from "./sequencer.ts";
import { TransactionLog } from "./transaction-log.ts";

/** The description of a running live cluster. */
export interface LiveClusterDescription {
  readonly name: "live";
  readonly archiverUrl: string;
  /** 64 hex digits, for `--archiver-key`. */
  readonly archiverPublicKey: string;
  /** Those from the beginning, in ascending order of ID. A node that is down has a URL too. */
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

export type LiveEvent = ValidatorEvent | MembershipEvent;

/** A change of the nodes by the record of a cycle. `nodes` is their number in that cycle. */
export type MembershipEvent = { readonly validator: number; readonly cycle: number } & (
  | { readonly type: "validator-joined"; readonly id: string; readonly url: string }
  | { readonly type: "validator-activated"; readonly nodes: number }
  | { readonly type: "validator-removed"; readonly nodes: number; readonly isLost: boolean }
);

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
  const plan = makeMembershipPlan(settings);
  const network = liveNetwork(settings);
  const setups = setUpNodes(settings, network);
  const directory = await openDirectory(options.directory);
  const cluster = new RunningCluster(settings, network, plan, directory, options);
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
  readonly #plan: MembershipPlan;
  readonly #directory: string;
  readonly #options: LiveClusterOptions;
  readonly #ending = new AbortController();
  #log: TransactionLog | undefined;
  #archiver: JsonServer | undefined;
  #validators: LiveValidators | undefined;
  #members: NetworkMembers | undefined;
  #chain: LiveChain | undefined;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    settings: LiveSettings,
    network: ClusterNetwork,
    plan: MembershipPlan,
    directory: string,
    options: LiveClusterOptions,
  ) {
    this.#settings = settings;
    this.#network = network;
    this.#plan = plan;
    this.#directory = directory;
    this.#options = options;
  }

  async start(isDown: (index: number) => boolean): Promise<LiveCluster> {
    const genesis = join(this.#directory, "genesis.jsonl");
    const { host = "127.0.0.1", signal } = this.#options;
    await pipeline(Readable.from(this.#genesisLines()), createWriteStream(genesis), signal ? { signal } : {});
    const log = await TransactionLog.create(join(this.#directory, "transactions.jsonl"));
    this.#log = log;
    const archiver = makeLiveArchiver({
      seed: this.#network.seed,
      log,
      members: () => this.#members,
      chain: () => this.#chain,
    });
    this.#archiver = archiver;
    const archiverUrl = await archiver.listen(host);
    const validators = new LiveValidators({
      settings: this.#settings,
      network: this.#network,
      host,
      archiverUrl,
      directory: this.#directory,
      report: (event) => this.#received(event),
    });
    this.#validators = validators;
    const initial = await validators.startAll(isDown, signal);
    signal?.throwIfAborted();
    const startSeconds = Math.ceil(Date.now() / 1000) + leadSeconds;
    const { cycleDuration, snapshotEvery } = this.#settings.pace;
    const members = new NetworkMembers(initial, startSeconds, cycleDuration);
    this.#members = members;
    const sequencer = new Sequencer(this.#settings, this.#network, startSeconds);
    const totalBalance = String(sequencer.totalBalance);
    this.#chain = new LiveChain(this.#settings, startSeconds);
    await log.append([
      { type: "start", start: startSeconds, duration: cycleDuration },
      ...members.initialEntries,
    ]);
    const running = this.#run(log, sequencer, startSeconds * 1000);
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
      nodes: initial.map(({ validator: index, identity: { id }, url }) => ({
        index,
        id,
        url,
        pid: validators.pidOf(index) ?? null,
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

  *#genesisLines(): Generator<string> {
    for (const account of genesisAccounts(this.#network)) yield `${JSON.stringify(account)}\n`;
  }

  /** Adds transactions when they are due, and begins a cycle at the end of the one before. */
  async #run(log: TransactionLog, sequencer: Sequencer, startMs: number): Promise<void> {
    const { signal } = this.#ending;
    await sleep(Math.max(0, startMs - Date.now()), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) this.#beginCycle();
    while (!signal.aborted) {
      const entries = sequencer.until(Date.now());
      await log.append(
        entries.flatMap((entry) => (entry.type === "cycle-end" ? [entry, ...this.#beginCycle()] : [entry])),
      );
      await sleep(tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Makes the record of the next cycle. Returns what the transaction log states of its changes. */
  #beginCycle(): readonly LogEntry[] {
    const [chain, members] = [this.#chain, this.#members];
    if (chain === undefined || members === undefined) return [];
    const cycle = chain.next;
    for (const change of cycle === 0 ? [] : this.#plan.changesAt(cycle)) this.#perform(change, members);
    const changes = members.begin(cycle);
    chain.begin(changes);
    this.#report(cycle, changes);
    return changes.entries;
  }

  #perform({ kind, validator }: PlannedChange, members: NetworkMembers): void {
    switch (kind) {
      case "join":
        void this.#validators
          ?.tryStart(validator)
          .then((member) => member !== undefined && members.ask(member));
        break;
      case "leave":
        members.leave(validator);
        break;
      case "kill":
        this.#validators?.kill(validator);
        break;
    }
  }

  #received(event: ValidatorEvent): void {
    const { type, validator } = event;
    if (type === "synced") this.#members?.synced(validator);
    if (type === "validator-died" && event.isGivenUp) this.#members?.died(validator);
    this.#options.report?.(event);
  }

  #report(cycle: Cycle, { joined, activated, removed, active }: CycleMembers): void {
    const { report } = this.#options;
    const nodes = active.length;
    for (const { validator, identity, url } of joined) {
      report?.({ type: "validator-joined", validator, cycle, id: identity.id, url });
    }
    for (const { validator } of activated) report?.({ type: "validator-activated", validator, cycle, nodes });
    for (const { validator, isLost } of removed) {
      report?.({ type: "validator-removed", validator, cycle, nodes, isLost });
    }
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    await this.#validators?.stop();
    await this.#archiver?.close();
    await this.#running;
    await this.#log?.close();
    if (this.#options.directory === undefined) await removeTree(this.#directory);
  }
}
