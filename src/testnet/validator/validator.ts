/**
 * A validator: applies the transactions of its partitions, cycle by cycle, hashes and gossips what it has,
 * exports it at marked cycles, and serves what it has exported. All that it must not forget is in its
 * directory, so that it can be killed at any moment, and started again.
 */

import { join } from "node:path";
import { PartitionGossip } from "../../agreement/upstream/partition-gossip.ts";
import type { WrappedData } from "../../protocol/account-copy.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { type Shard, storedPartitions } from "../../protocol/shard.ts";
import { makeDirectories } from "../../store/durable.ts";
import { agreementCyclesMax, exportsKept } from "../limits.ts";
import { ArchiverLink } from "./archiver-link.ts";
import { type FaultHooks, passedOn, reach } from "./fault-hooks.ts";
import { GossipRelay } from "./gossip/gossip-relay.ts";
import type { PushOutcome } from "./gossip/pushed-messages.ts";
import { type CycleClock, HeldSnapshots } from "./held-snapshots.ts";
import { HttpError } from "./http-error.ts";
import type { Identity } from "./identity.ts";
import type { JsonServer } from "./json-server.ts";
import type { ExportEntry } from "./snapshot/export-operation.ts";
import { ExportShelf } from "./snapshot/export-shelf.ts";
import { type CycleReport, Snapshots } from "./snapshot/index.ts";
import { type ExportReport, SnapshotExporter } from "./snapshot/snapshot-exporter.ts";
import { type CommitTimes, Committer } from "./state/committer.ts";
import { followLog } from "./state/log-feed.ts";
import { StateDatabase } from "./state/state-database.ts";
import { makeValidatorServer } from "./validator-server.ts";

export type ValidatorReport = CycleReport | ExportReport;

export interface ValidatorOptions {
  readonly identity: Identity;
  /** Its place in ascending order of node ids. */
  readonly index: number;
  readonly shard: Shard;
  /** Where its database and its exports are; it is made where there is none. */
  readonly directory: string;
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly archiverUrl: string;
  /** The body of `/netconfig`. */
  readonly netconfig: object;
  /** The state before the first transaction; accounts that it does not store are passed over. */
  readonly genesis: () => Iterable<WrappedData>;
  readonly exportEntry: ExportEntry;
  readonly conduct: FaultHooks;
  readonly report: (report: ValidatorReport) => void;
}

/** The body of `/healthz`. A field is `null` before the validator knows it. */
export interface ValidatorHealth {
  readonly cycle: number | null;
  readonly position: number | null;
  /** The timestamps of the snapshots that it serves. */
  readonly held: readonly number[];
  /** The timestamp of the export in progress. */
  readonly exporting: number | null;
  readonly lastExport: ExportReport | null;
  readonly commits: Readonly<CommitTimes> | null;
}

export class Validator {
  readonly #options: ValidatorOptions;
  readonly #database: StateDatabase;
  readonly #shelf: ExportShelf;
  readonly #exporter: SnapshotExporter;
  readonly #held: HeldSnapshots;
  readonly #server: JsonServer;
  readonly #ending = new AbortController();
  readonly #archiver: ArchiverLink;
  #relay: GossipRelay | undefined;
  #snapshots: Snapshots | undefined;
  #committer: Committer | undefined;
  #lastExport: ExportReport | undefined;

  private constructor(options: ValidatorOptions, database: StateDatabase, shelf: ExportShelf) {
    this.#options = options;
    this.#database = database;
    this.#shelf = shelf;
    this.#archiver = new ArchiverLink(options.archiverUrl, options.identity, this.#ending.signal);
    this.#exporter = new SnapshotExporter({
      entry: options.exportEntry,
      shelf,
      report: (report) => {
        this.#lastExport = report;
        options.report(report);
      },
      serve: () => this.#serveHeld(),
      onStep: (step) => reach(options.conduct, step),
    });
    this.#held = new HeldSnapshots(
      () => this.#clock(),
      (timestampMs) => this.#exporter.active?.timestamp === timestampMs,
    );
    this.#server = makeValidatorServer({
      netconfig: options.netconfig,
      snapshots: this.#held,
      conduct: options.conduct,
      gossipOf: (cycle) => this.#relay?.messagesOf(cycle),
      receiveGossip: (body) => this.#receive(body),
      health: () => this.#health(),
    });
    this.#serveHeld();
  }

  /** Opens the directory, as an earlier run left it. It listens from {@link listen} on. */
  static async open(options: ValidatorOptions): Promise<Validator> {
    const { directory, shard, index, genesis } = options;
    await makeDirectories(directory);
    const shelf = await ExportShelf.open(join(directory, "exports"), exportsKept);
    const stored = storedPartitions(shard, index);
    const database = StateDatabase.open(join(directory, "state.sqlite"), shard, stored, genesis);
    return new Validator(options, database, shelf);
  }

  /** Answers where: `http://host:port`. */
  async listen(): Promise<string> {
    const url = await this.#server.listen(this.#options.host, this.#options.port);
    this.#exporter.prepare();
    return url;
  }

  /**
   * Takes part in the network until it is stopped.
   *
   * @throws WireError where the archiver answers with something else than the protocol says; SnapshotError where
   *   the database cannot be used
   */
  async run(): Promise<void> {
    try {
      const nodes = await this.#archiver.activeNodes(this.#options.shard.numNodes);
      const committer = this.#join(nodes);
      committer.resume();
      const { position } = committer.progress;
      for await (const entries of followLog(this.#archiver.logUrl, position, this.#ending.signal)) {
        await committer.apply(entries);
      }
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#exporter.stop();
    await this.#snapshots?.stop();
    await this.#relay?.stop();
    await this.#server.close();
    this.#database.close();
  }

  /** Once it is known who the others are. */
  #join(nodes: readonly ActiveNode[]): Committer {
    const { identity, index, shard, conduct, report } = this.#options;
    const gossip = new PartitionGossip();
    const relay = new GossipRelay({
      nodes,
      index,
      gossip,
      forwarded: (cycle, messages) => passedOn(conduct, cycle, messages) ?? [],
      onMessage: (cycle) => this.#snapshots?.heard(cycle),
    });
    const snapshots = new Snapshots({
      identity,
      shard,
      nodeIds: nodes.map(({ id }) => id),
      stored: storedPartitions(shard, index),
      database: this.#database,
      gossip,
      relay,
      exporter: this.#exporter,
      conduct,
      report,
      announce: (...hashes) => void this.#archiver.announce(...hashes),
    });
    const committer = new Committer({
      database: this.#database,
      snapshots,
      exporter: this.#exporter,
      conduct,
      report,
      isHeld: (timestampMs) => this.#held.timestamps.includes(timestampMs),
    });
    this.#relay = relay;
    this.#snapshots = snapshots;
    this.#committer = committer;
    // Others may not have heard what was said before a restart.
    const { cycle } = committer.progress;
    relay.cycleBegan(cycle + 1);
    for (let past = cycle - agreementCyclesMax; past <= cycle; past++) {
      relay.send(past, this.#database.votesOf(past));
    }
    return committer;
  }

  async #receive(body: string): Promise<PushOutcome> {
    if (this.#relay === undefined)
      throw new HttpError(503, "this validator is starting", { retryAfterSeconds: 1 });
    return await this.#relay.receive(body);
  }

  #serveHeld(): void {
    this.#held.hold(this.#shelf.held.map(({ timestamp, accounts }) => [timestamp, accounts]));
  }

  #clock(): CycleClock {
    const { cycle, startMs, durationMs } = this.#committer?.progress ?? this.#database.progress;
    return { startMs, durationMs, finalizedMs: startMs + (cycle + 1) * durationMs };
  }

  #health(): ValidatorHealth {
    const progress = this.#committer?.progress;
    return {
      cycle: progress?.cycle ?? null,
      position: progress?.position ?? null,
      held: this.#held.timestamps,
      exporting: this.#exporter.active?.timestamp ?? null,
      lastExport: this.#lastExport ?? null,
      commits: this.#committer?.times ?? null,
    };
  }
}
