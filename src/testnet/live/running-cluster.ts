/**
 * A running live cluster: validators in processes of their own, an archiver, and transactions until it is stopped. The
 * cluster itself makes the order of transactions, the changes of the nodes and the cycle records, on which a real network
 * agrees by consensus.
 */

import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { diskError, SnapshotError } from "../../errors/snapshot-error.ts";
import { archiverIdentity } from "../cluster/archiver-server.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import type { ChainedRecord } from "../cluster/cycle-records.ts";
import { logEntriesAtOnceMax } from "../limits.ts";
import type { JsonServer } from "../validator/json-server.ts";
import type { LogEntry } from "../validator/state/log-entry.ts";
import { type Beginning, notResumable, type RestartFlags } from "./beginning.ts";
import { removeTree } from "./cluster-directory.ts";
import { CycleMaker } from "./cycle-maker.ts";
import { makeLiveArchiver } from "./live-archiver.ts";
import { type ChainStart, LiveChain } from "./live-chain.ts";
import type { LiveCluster, LiveEvent } from "./live-description.ts";
import { liveNetwork } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import { LiveValidators, type ValidatorEvent } from "./live-validators.ts";
import { type Member, NetworkMembers } from "./membership/network-members.ts";
import type { MembershipPlan } from "./membership/planned-change.ts";
import { RecordedCycles } from "./restart/recorded-cycles.ts";
import { Ledger } from "./transactions/ledger.ts";
import { Sequencer } from "./transactions/sequencer.ts";
import { TransactionLog } from "./transactions/transaction-log.ts";

export interface LiveClusterOptions {
  readonly host?: string;
  /** Must be new or empty, and is kept. By default the cluster uses a temporary directory, and removes it at the end. */
  readonly directory?: string | undefined;
  /** Starts from a snapshot of another network, and continues its cycles. */
  readonly restart?: RestartFlags | undefined;
  readonly report?: (event: LiveEvent) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

export const defaultHost = "127.0.0.1";

/** The time between additions to the transaction log. */
const tickMs = 100;

/** The time from the readiness of all validators to the start of cycle 0: they receive the node list. */
const leadSeconds = 1;

export class RunningCluster {
  readonly #directory: string;
  readonly #options: LiveClusterOptions;
  readonly #ending = new AbortController();
  /** What it has to close, the newest first. */
  readonly #parts: (() => Promise<unknown>)[] = [];
  readonly #newRecords: ChainedRecord[] = [];
  #members: NetworkMembers | undefined;
  #chain: LiveChain | undefined;
  #cycles: CycleMaker | undefined;
  #stopped: Promise<void> | undefined;
  #fail: (error: SnapshotError) => void = () => undefined;

  constructor(directory: string, options: LiveClusterOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  async start(
    beginning: Beginning,
    plan: MembershipPlan,
    isDown: (index: number) => boolean,
  ): Promise<LiveCluster> {
    this.#parts.unshift(() => beginning.close());
    const failed = new Promise<SnapshotError>((resolve) => {
      this.#fail = resolve;
    });
    const { settings, firstCycle } = beginning;
    const { host = defaultHost, signal } = this.#options;
    const network = liveNetwork(settings);
    const genesisFile = join(this.#directory, "genesis.jsonl");
    const ledger = await this.#writeFirstState(beginning, genesisFile);
    const log = await TransactionLog.create(join(this.#directory, "transactions.jsonl"));
    const recorded = await RecordedCycles.create(this.#directory);
    this.#parts.unshift(() => Promise.all([log.close(), recorded.close()]));
    const archiver = this.#makeArchiver(network, log);
    const archiverUrl = await archiver.listen(host);
    this.#parts.unshift(() => archiver.close());
    const validators = new LiveValidators({
      settings,
      network,
      host,
      archiverUrl,
      directory: this.#directory,
      report: (event) => this.#received(event, settings.restart !== undefined),
    });
    this.#parts.unshift(() => validators.stop());
    const initial = await validators.startAll(isDown, signal);
    signal?.throwIfAborted();
    const { cycleDuration, snapshotEvery } = settings.pace;
    const start = startOf(beginning);
    const members = this.#join(initial, settings, start);
    await log.append([
      { type: "start", start: start.startSeconds, duration: cycleDuration },
      ...members.initialEntries,
    ]);
    await this.#resume(beginning, log, ledger);
    const sequencer = new Sequencer(settings, ledger, start);
    this.#chain = new LiveChain(settings, start);
    this.#cycles = new CycleMaker({
      ...{ members, chain: this.#chain, plan, validators },
      nodes: settings.nodes,
      report: (event) => this.#options.report?.(event),
    });
    this.#follow(this.#cycles, { log, recorded, sequencer }, start.startSeconds + firstCycle * cycleDuration);
    return {
      failed,
      name: "live",
      archiverUrl,
      archiverPublicKey: archiverIdentity(network.seed).publicKey,
      nodes: initial.map(({ validator: index, identity: { id }, url }) => ({
        index,
        id,
        url,
        pid: validators.pidOf(index) ?? null,
      })),
      cycleDuration,
      snapshotEvery,
      startMs: start.startSeconds * 1000,
      firstCycle,
      totalBalance: String(ledger.totalBalance),
      directory: this.#directory,
      genesis: genesisFile,
      transactionLog: log.path,
      stop: () => this.stop(),
    };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Writes the accounts from which the network starts. */
  async #writeFirstState({ accounts }: Beginning, path: string): Promise<Ledger> {
    const { signal } = this.#options;
    const ledger = new Ledger();
    async function* lines(): AsyncGenerator<string> {
      for await (const account of accounts()) {
        ledger.add(account);
        yield `${JSON.stringify(account)}\n`;
      }
    }
    await pipeline(Readable.from(lines()), createWriteStream(path), signal ? { signal } : {});
    return ledger;
  }

  #makeArchiver({ seed }: ClusterNetwork, log: TransactionLog): JsonServer {
    return makeLiveArchiver({ seed, log, members: () => this.#members, chain: () => this.#chain });
  }

  /** The validators of a new network are active from its beginning; those of a restarted one join, and are activated. */
  #join(initial: readonly Member[], settings: LiveSettings, { startSeconds }: ChainStart): NetworkMembers {
    const isRestart = settings.restart !== undefined;
    const members = new NetworkMembers(isRestart ? [] : initial, startSeconds, settings.pace.cycleDuration);
    for (const member of isRestart ? initial : []) members.ask(member);
    this.#members = members;
    return members;
  }

  /** Repeats the transactions of the network before that follow its snapshot. */
  async #resume({ earlier }: Beginning, log: TransactionLog, ledger: Ledger): Promise<void> {
    if (earlier === undefined) return;
    let transactions = 0;
    let entries: LogEntry[] = [];
    for await (const transaction of earlier()) {
      try {
        ledger.apply(transaction);
      } catch (error) {
        throw notResumable(error);
      }
      transactions++;
      entries.push(transaction);
      if (entries.length < logEntriesAtOnceMax) continue;
      await log.append(entries);
      entries = [];
    }
    await log.append([...entries, { type: "resumed", transactions }]);
  }

  /** Begins cycles and adds transactions until the cluster is stopped. */
  #follow(cycles: CycleMaker, parts: RunParts, startSeconds: number): void {
    const running = this.#run(cycles, parts, startSeconds * 1000);
    this.#parts.unshift(() => running);
    running.catch((error: unknown) => this.#fail(diskError(`cannot write in ${this.#directory}`, error)));
  }

  /** Adds transactions when they are due, and begins a cycle at the end of the one before. */
  async #run(cycles: CycleMaker, { log, recorded, sequencer }: RunParts, startMs: number): Promise<void> {
    const { signal } = this.#ending;
    const begin = () => this.#beginCycle(cycles, sequencer);
    // A record is never missing whose cycle the log states.
    const append = async (entries: readonly LogEntry[]) => {
      await recorded.append(this.#newRecords.splice(0));
      await log.append(entries);
    };
    await sleep(Math.max(0, startMs - Date.now()), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await append(begin());
    while (!signal.aborted) {
      await append(sequencer.until(Date.now(), begin));
      await sleep(tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Returns what the transaction log states of the changes of a cycle. */
  #beginCycle(cycles: CycleMaker, sequencer: Sequencer): readonly LogEntry[] {
    const { record, entries, isFirstProcessing } = cycles.begin();
    this.#newRecords.push(record);
    if (isFirstProcessing) sequencer.takeFrom(record.start * 1000);
    return entries;
  }

  #received(event: ValidatorEvent, isRestart: boolean): void {
    const { type, validator } = event;
    if (type === "synced") this.#members?.synced(validator);
    if (type === "validator-died" && event.isGivenUp) {
      this.#members?.died(validator);
      if (isRestart && this.#cycles?.isProcessing === false) this.#fail(neverComplete(validator, event.how));
    }
    this.#options.report?.(event);
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    // The parts that depend on others are stopped before them, whatever has failed.
    for (const close of this.#parts) await close().catch(() => undefined);
    if (this.#options.directory === undefined) await removeTree(this.#directory);
  }
}

interface RunParts {
  readonly log: TransactionLog;
  readonly recorded: RecordedCycles;
  readonly sequencer: Sequencer;
}

/** @throws SnapshotError if cycle 0 would have begun before 1970 */
function startOf({ firstCycle, previousMarker, settings }: Beginning): ChainStart {
  const { cycleDuration } = settings.pace;
  const firstSeconds = Math.ceil(Date.now() / 1000) + leadSeconds;
  const startSeconds = firstSeconds - firstCycle * cycleDuration;
  if (startSeconds >= 0) return { firstCycle, startSeconds, previousMarker };
  throw new SnapshotError("configuration", `cycle ${firstCycle} cannot be one of ${cycleDuration} seconds`, {
    hint: "Give the --cycle-duration of the network before.",
  });
}

function neverComplete(validator: number, how: string): SnapshotError {
  return new SnapshotError(
    "temporary",
    `validator ${validator} ended before the network took transactions: ${how}`,
    { hint: "Start the network again from the same snapshot, in a new directory." },
  );
}
