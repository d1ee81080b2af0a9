/** Collects the gossip of a network until its signal is aborted: serves pushes, follows the lists, and polls. */

import { setImmediate } from "node:timers/promises";
import { KnownVotes } from "../agreement/admission/known-votes.ts";
import type { GossipSource } from "../agreement/requests/gossip-source.ts";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { sleep } from "../fetch/sleep.ts";
import { collectEndMs, keepCyclesMax } from "../limits/collect.ts";
import type { Keep } from "../options/option-texts.ts";
import type { HashDatabase } from "../store/hash-database/hash-database.ts";
import type { NetworkClients } from "../trust/node-addresses.ts";
import { NetworkWatch } from "./network/network-watch.ts";
import { type CollectOptions, collectDefaults } from "./options.ts";
import { PollSchedule } from "./polling/poll-schedule.ts";
import type { CollectEvent } from "./reporter.ts";
import { FairExecutor } from "./server/fair-executor.ts";
import { GossipServer } from "./server/gossip-server.ts";
import { PushHandler } from "./server/push-handler.ts";
import type { JsonResponse } from "./server/response.ts";
import { SignatureVerifier } from "./server/signature-verifier.ts";
import { type CollectStatus, StatusReport } from "./status.ts";
import { CycleWindow } from "./votes/cycle-window.ts";
import { OffenceLog } from "./votes/offence-log.ts";
import { StoredVotes } from "./votes/stored-votes.ts";
import { VoteCounter } from "./votes/vote-counter.ts";
import { VoteStore } from "./votes/vote-store.ts";

export interface CollectorPorts {
  readonly database: HashDatabase;
  readonly clients: NetworkClients;
  readonly source: GossipSource;
  readonly hashKey: string;
  readonly warn: (message: string) => void;
}

export class CollectorService {
  readonly #options: CollectOptions;
  readonly #ports: CollectorPorts;
  readonly #watch: NetworkWatch;
  readonly #cycles = new CycleWindow();
  readonly #stored: StoredVotes;
  readonly #store: VoteStore;
  readonly #counter: VoteCounter;
  readonly #pushes: PushHandler;
  readonly #polls: PollSchedule;
  readonly #report: StatusReport;
  #prunedAt = -1;

  constructor(options: CollectOptions, ports: CollectorPorts) {
    const { database, clients, source, hashKey, warn } = ports;
    const { signal, reporter } = options;
    this.#options = options;
    this.#ports = ports;
    const keep = this.#keep;
    const keepCycles = "cycles" in keep ? keep.cycles : keepCyclesMax;
    const watch = new NetworkWatch(options, { clients, hashKey, signal, warn }, keepCycles);
    const seen = new KnownVotes(hashKey);
    const votes = new StoredVotes(database, seen, warn);
    const cycles = this.#cycles;
    const offences = new OffenceLog(database, reporter);
    const counter = new VoteCounter({ database, votes, watch, cycles, offences, hashKey, signal, reporter });
    const store = new VoteStore({ database, votes, counter, offences, watch, seen, signal, warn });
    const [executor, signatures] = [new FairExecutor(), new SignatureVerifier()];
    this.#watch = watch;
    this.#stored = votes;
    this.#counter = counter;
    this.#store = store;
    this.#pushes = new PushHandler({ watch, seen, executor, signatures, store, offences, signal });
    this.#report = new StatusReport(database, watch, this.#pushes.totals);
    this.#polls = new PollSchedule({ source, watch, seen, store, offences, cycles }, (action) =>
      this.#attempt(action),
    );
  }

  async run(): Promise<CollectStatus> {
    const { signal, listen, reporter, pollMs = collectDefaults.pollMs } = this.#options;
    const server = new GossipServer({
      push: (body, address) => this.#push(body, address),
      messages: (cycle) => this.#stored.textsOf(cycle),
      health: () => this.#report.status(),
    });
    try {
      await this.#refresh(true);
      const url = await server.listen(listen.host, listen.port);
      reporter?.report({ type: "listening", url });
      while (!signal.aborted) {
        await this.#polls.run(pollMs, signal);
        await sleep(pollMs, signal);
        this.#ports.database.requireInPlace();
        await this.#attempt(() => this.#refresh(false));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await server.close(collectEndMs);
      this.#store.flush();
    }
    return this.#report.status({ isExact: true });
  }

  get #keep(): Keep {
    return this.#options.keep ?? collectDefaults.keep;
  }

  async #push(body: Buffer, address: string): Promise<JsonResponse> {
    try {
      return await this.#pushes.handle(body, address);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** Reads the lists, counts what they change, and forgets what is too old. */
  async #refresh(isFirst: boolean): Promise<void> {
    const { database, hashKey } = this.#ports;
    const watch = this.#watch;
    const before = isFirst ? undefined : reportOf(watch);
    await watch.refresh();
    if (isFirst) database.claim({ networkId: watch.networkId, hashKey });
    const { oldest, newest } = watch.window;
    this.#cycles.keepOnly(oldest, newest);
    await this.#store.recall({ oldest, newest });
    await this.#counter.countStored();
    await this.#prune();
    this.#report.succeeded();
    const now = reportOf(watch);
    // An archiver may update its list after it has stored the record of the change.
    if (now.newestCycle === before?.newestCycle && now.nodes === before.nodes) return;
    this.#options.reporter?.report(now);
  }

  async #prune(): Promise<void> {
    const { counter, duration } = this.#watch.newest;
    // A cycle that only the archiver states does not justify deleting anything.
    if (counter === this.#prunedAt || !this.#watch.isConfirmed) return;
    const keep = this.#keep;
    const cycles = "cycles" in keep ? keep.cycles : Math.ceil(keep.ageMs / (duration * 1000));
    const kept = Math.min(Math.max(cycles, 1), keepCyclesMax);
    for (const _cycle of this.#ports.database.prune(kept, Date.now())) {
      await setImmediate(); // other work can run between two cycles
    }
    this.#prunedAt = counter;
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#options.signal.aborted) return;
      if (!(error instanceof SnapshotError)) throw error;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#report.failed(error);
    this.#ports.warn(messageOf(error));
  }
}

function reportOf({ current, newest }: NetworkWatch): Extract<CollectEvent, { type: "network" }> {
  return { type: "network", nodes: current.nodes.length, newestCycle: newest.counter };
}
