/**
 * A validator: follows the transaction log, and at the end of each cycle of which it is a node hashes the partitions that
 * it stores and gossips the hashes. It exports them at marked cycles, and serves its exports. Its directory has all
 * persistent state, so that the validator can be killed at any moment and restarted.
 */

import { join } from "node:path";
import { PartitionGossip } from "../../agreement/upstream/partition-gossip.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { asCycle } from "../../protocol/brands.ts";
import { cyclesFrom } from "../../protocol/cycle-record.ts";
import { makeDirectories } from "../../store/durable.ts";
import { agreementCyclesMax, exportsKept } from "../limits.ts";
import { ArchiverLink } from "./archiver-link.ts";
import { type FaultHooks, forwardedGossip, reachStep } from "./fault-hooks.ts";
import { GossipRelay } from "./gossip/gossip-relay.ts";
import type { PushOutcome } from "./gossip/pushed-messages.ts";
import { type CycleClock, HeldSnapshots } from "./held-snapshots.ts";
import type { Identity } from "./identity.ts";
import type { JsonServer } from "./json-server.ts";
import { Membership, type ShardingSettings } from "./membership/membership.ts";
import { CycleFinalizer, type CycleReport } from "./snapshot/cycle-finalizer.ts";
import type { ExportEntry } from "./snapshot/export-operation.ts";
import { ExportStore } from "./snapshot/export-store.ts";
import { type ExportReport, SnapshotExporter } from "./snapshot/snapshot-exporter.ts";
import { type CommitTimes, Committer } from "./state/committer.ts";
import { followLog } from "./state/log-feed.ts";
import { StateDatabase } from "./state/state-database.ts";
import type { StateSource } from "./state/state-source.ts";
import { makeValidatorServer } from "./validator-server.ts";

export type ValidatorReport = CycleReport | ExportReport;

/** What the validators of a network have in common. */
export interface NetworkOptions {
  readonly archiverUrl: string;
  readonly sharding: ShardingSettings;
  /** The body of `/netconfig`. */
  readonly netconfig: object;
}

export interface ListenAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

export interface ValidatorOptions {
  readonly identity: Identity;
  readonly network: NetworkOptions;
  readonly listenOn: ListenAddress;
  /** Contains the database and the exports; created where it does not exist. */
  readonly directory: string;
  /** Of a validator whose directory has no state yet. */
  readonly stateSource: StateSource;
  readonly exportEntry: ExportEntry;
  readonly hooks: FaultHooks;
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
  readonly #exportStore: ExportStore;
  readonly #exporter: SnapshotExporter;
  readonly #held: HeldSnapshots;
  readonly #server: JsonServer;
  readonly #ending = new AbortController();
  readonly #archiver: ArchiverLink;
  #relay: GossipRelay | undefined;
  #finalizer: CycleFinalizer | undefined;
  #committer: Committer | undefined;
  #lastExport: ExportReport | undefined;

  private constructor(options: ValidatorOptions, database: StateDatabase, exportStore: ExportStore) {
    this.#options = options;
    this.#database = database;
    this.#exportStore = exportStore;
    this.#archiver = new ArchiverLink(options.network.archiverUrl, options.identity, this.#ending.signal);
    this.#exporter = new SnapshotExporter({
      entry: options.exportEntry,
      exportStore,
      report: (report) => {
        this.#lastExport = report;
        options.report(report);
      },
      serve: () => this.#serveHeld(),
      onStep: (step) => reachStep(options.hooks, step),
    });
    this.#held = new HeldSnapshots(
      () => this.#clock(),
      (timestampMs) => this.#exporter.active?.timestamp === timestampMs,
    );
    this.#server = makeValidatorServer({
      netconfig: options.network.netconfig,
      snapshots: this.#held,
      hooks: options.hooks,
      gossipOf: (cycle) => this.#relay?.messagesOf(cycle),
      receiveGossip: (body) => this.#receive(body),
      health: () => this.#health(),
    });
    this.#serveHeld();
  }

  /** Opens the directory, with the state of an earlier run. The validator listens after {@link listen}. */
  static async open(options: ValidatorOptions): Promise<Validator> {
    const { directory, stateSource } = options;
    await makeDirectories(directory);
    const exportStore = await ExportStore.open(join(directory, "exports"), exportsKept);
    const database = await StateDatabase.open(join(directory, "state.sqlite"), stateSource);
    return new Validator(options, database, exportStore);
  }

  /** Returns the URL: `http://host:port`. */
  async listen(): Promise<string> {
    const { host, port } = this.#options.listenOn;
    const url = await this.#server.listen(host, port);
    this.#exporter.prepare();
    return url;
  }

  /**
   * Takes part in the network until it is stopped, or until it was removed and has settled its last cycle.
   *
   * @throws WireError where a response of the archiver violates the protocol; SnapshotError where the database fails
   */
  async run(): Promise<void> {
    try {
      const membership = this.#makeMembership();
      const committer = this.#start(membership);
      committer.resume();
      const { position } = committer.progress;
      for await (const entries of followLog(this.#archiver.logUrl, position, this.#ending.signal)) {
        await committer.apply(entries);
        if (await this.#leaves(membership)) return;
      }
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#exporter.stop();
    await this.#finalizer?.stop();
    await this.#relay?.stop();
    await this.#server.close();
    this.#database.close();
  }

  #makeMembership(): Membership {
    const { identity, network } = this.#options;
    return new Membership(identity.id, network.sharding, this.#database.nodes);
  }

  /** Starts gossip and commits. */
  #start(membership: Membership): Committer {
    const { identity, hooks, report } = this.#options;
    const gossip = new PartitionGossip();
    const relay = new GossipRelay({
      membership,
      gossip,
      forwarded: (cycle, messages) => forwardedGossip(hooks, cycle, messages) ?? [],
      onMessage: (cycle) => this.#finalizer?.messageAdmitted(cycle),
    });
    const finalizer = new CycleFinalizer({
      identity,
      membership,
      database: this.#database,
      exchange: { gossip, relay, announce: (...hashes) => void this.#archiver.announce(...hashes) },
      exporter: this.#exporter,
      hooks,
      report,
    });
    const committer = new Committer({
      database: this.#database,
      membership,
      finalizer,
      exporter: this.#exporter,
      hooks,
      report,
      isHeld: (timestampMs) => this.#held.timestamps.includes(timestampMs),
    });
    this.#relay = relay;
    this.#finalizer = finalizer;
    this.#committer = committer;
    // Peers may have missed the messages before a restart.
    const { cycle } = committer.progress;
    relay.cycleBegan(asCycle(cycle + 1));
    const oldest = asCycle(Math.max(0, cycle - agreementCyclesMax));
    for (const past of cycle < 0 ? [] : cyclesFrom(oldest, asCycle(cycle))) {
      relay.send(past, this.#database.votesOf(past));
    }
    return committer;
  }

  /** Reports and returns whether the validator was removed and has nothing left to do for its last cycle. */
  async #leaves({ own }: Membership): Promise<boolean> {
    if (own?.removed === undefined || this.#finalizer?.isIdle !== true) return false;
    if (this.#exporter.active !== undefined) return false;
    await this.#relay?.flush();
    this.#options.report({ type: "left", cycle: asCycle(own.removed - 1) });
    return true;
  }

  async #receive(body: string): Promise<PushOutcome> {
    if (this.#relay === undefined)
      throw new HttpError(503, "this validator is starting", { retryAfterSeconds: 1 });
    return await this.#relay.receive(body);
  }

  #serveHeld(): void {
    this.#held.hold(this.#exportStore.held.map(({ timestamp, accounts }) => [timestamp, accounts]));
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
