/** A listener that takes part in a network's gossip for as long as it runs, and keeps what was agreed on. */

import { setImmediate } from "node:timers/promises";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { sleep } from "../fetch/sleep.ts";
import { collectEndMs, keepCyclesMax } from "../limits/limits.ts";
import { requireOptions } from "../options/option-check.ts";
import { DEFAULT_HASH_KEY } from "../protocol/crypto/hash.ts";
import { type HashCounts, HashDatabase } from "../store/hash-database/hash-database.ts";
import { type NetworkClients, openClients } from "../trust/node-addresses.ts";
import { CycleWindow } from "./cycle-window.ts";
import { NetworkWatch } from "./network-watch.ts";
import { type CollectOptions, collectChecks, collectDefaults, type Keep } from "./options.ts";
import { CyclePoll } from "./poll.ts";
import { FairExecutor } from "./server/fair-executor.ts";
import { GossipServer } from "./server/gossip-server.ts";
import { Intake } from "./server/intake.ts";
import { PushHandler } from "./server/push.ts";
import { SignatureVerifier } from "./server/signature-verifier.ts";
import { StoredVotes } from "./stored-votes.ts";
import { VoteStore } from "./vote-store.ts";

/** What a collector has come to; also what `/healthz` says. */
export interface CollectStatus {
  /** Whether the last look at the network, and the last write, went well. */
  readonly ok: boolean;
  /** Null until the lists have been read. */
  readonly newestCycle: number | null;
  readonly cycles: { readonly first: number | null; readonly last: number | null; readonly agreed: number };
  readonly messages: number;
  readonly nodes: number;
  readonly pushed: { readonly stored: number; readonly known: number; readonly refused: number };
  /** When the lists were last read: ISO 8601. */
  readonly lastPoll: string | null;
  readonly lastError: { readonly at: string; readonly message: string } | null;
}

/** Counting rows takes a while in a large database: whoever asks more often gets the same figures. */
const countsMaxAgeMs = 1_000;
const warningsRememberedMax = 100;

/**
 * Collects until `options.signal` is aborted.
 *
 * @throws SnapshotError where it cannot start: the lists cannot be read, the database is another network's, the port
 *   is taken. Once it runs, what fails is told, and tried again.
 */
export async function collect(options: CollectOptions): Promise<CollectStatus> {
  requireOptions("collect", options, collectChecks);
  let warn = (message: string): void => options.reporter?.report({ type: "warning", message });
  const database = HashDatabase.open(options.database, { onSkipped: (problem) => warn(problem) });
  const clients = openClients(options);
  try {
    const service = new CollectorService(options, database, clients);
    warn = (message) => service.warn(message);
    return await service.run();
  } finally {
    await clients.close();
    database.close();
  }
}

class CollectorService {
  readonly #options: CollectOptions;
  readonly #database: HashDatabase;
  readonly #clients: NetworkClients;
  readonly #hashKey: string;
  readonly #watch: NetworkWatch;
  readonly #book = new CycleWindow();
  readonly #ledger: VoteStore;
  readonly #intake: Intake;
  readonly #votes: StoredVotes;
  readonly #desk: PushHandler;
  readonly #warned = new Set<string>();
  #polls = 0;
  #lastPoll: Date | undefined;
  #lastError: { readonly at: string; readonly message: string } | undefined;
  #isFailing = false;
  #prunedAt = -1;
  #counts: { readonly atMs: number; readonly counts: HashCounts } | undefined;

  constructor(options: CollectOptions, database: HashDatabase, clients: NetworkClients) {
    this.#options = options;
    this.#database = database;
    this.#clients = clients;
    const hashKey = options.hashKey ?? DEFAULT_HASH_KEY;
    this.#hashKey = hashKey;
    const { signal, reporter } = options;
    const warn = (message: string) => this.warn(message);
    const keep = this.#keep;
    const keepCycles = "cycles" in keep ? keep.cycles : keepCyclesMax;
    this.#watch = new NetworkWatch(options, { clients, hashKey, signal, warn }, keepCycles);
    this.#intake = new Intake(this.#watch, hashKey);
    this.#votes = new StoredVotes(database, hashKey, (message, problem) => {
      this.#intake.forget(message);
      warn(problem);
    });
    const [watch, book, intake, votes] = [this.#watch, this.#book, this.#intake, this.#votes];
    this.#ledger = new VoteStore({ database, votes, watch, book, intake, hashKey, signal, reporter });
    this.#desk = new PushHandler({
      intake,
      turns: new FairExecutor(),
      signatures: new SignatureVerifier(),
      ledger: this.#ledger,
      signal,
    });
  }

  async run(): Promise<CollectStatus> {
    const { signal, listen, reporter } = this.#options;
    const server = new GossipServer({
      push: (body, address) => this.#push(body, address),
      messages: (cycle) => this.#votes.textsOf(cycle),
      health: () => this.status(),
    });
    try {
      await this.#refresh();
      const url = await server.listen(listen.host, listen.port);
      reporter?.report({ type: "listening", url });
      while (!signal.aborted) {
        await this.#poll();
        await sleep(this.#options.pollMs ?? collectDefaults.pollMs, signal);
        this.#database.requireInPlace();
        await this.#tried(() => this.#refresh());
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await server.close(collectEndMs);
      this.#ledger.flush();
    }
    this.#counts = undefined;
    return this.status();
  }

  status(): CollectStatus {
    const nowMs = performance.now();
    if (this.#counts === undefined || nowMs - this.#counts.atMs > countsMaxAgeMs) {
      this.#counts = { atMs: nowMs, counts: this.#database.counts() };
    }
    const { messages, firstCycle: first, lastCycle: last, agreedCycles: agreed } = this.#counts.counts;
    return {
      ok: !this.#isFailing,
      newestCycle: this.#watch.isRead ? this.#watch.newest.counter : null,
      cycles: { first, last, agreed },
      messages,
      nodes: this.#watch.isRead ? this.#watch.roster.nodes.length : 0,
      pushed: { ...this.#desk.totals },
      lastPoll: this.#lastPoll?.toISOString() ?? null,
      lastError: this.#lastError ?? null,
    };
  }

  get #keep(): Keep {
    return this.#options.keep ?? collectDefaults.keep;
  }

  async #push(body: Buffer, address: string) {
    try {
      return await this.#desk.take(body, address);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** Reads the lists, takes up what they change, and forgets what is too old. */
  async #refresh(): Promise<void> {
    const before = this.#lastPoll === undefined ? undefined : this.#watch.newest.counter;
    await this.#watch.refresh();
    if (before === undefined) {
      this.#database.claim({ networkId: this.#watch.networkId, hashKey: this.#hashKey });
    }
    await this.#ledger.catchUp();
    await this.#prune();
    this.#lastPoll = new Date();
    this.#isFailing = false;
    const newestCycle = this.#watch.newest.counter;
    if (newestCycle === before) return;
    const nodes = this.#watch.roster.nodes.length;
    this.#options.reporter?.report({ type: "network", nodes, newestCycle });
  }

  /** Nodes that keep us waiting must not keep us from the lists: a poll ends with its time. */
  async #poll(): Promise<void> {
    const { signal, pollMs = collectDefaults.pollMs } = this.#options;
    // Not AbortSignal.any: what lives as long as we do would remember every poll.
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = setTimeout(end, pollMs);
    signal.addEventListener("abort", end, { once: true });
    try {
      await this.#pollCycles(ending.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }

  /** Those that lack a hash, the newest first; those that were tried in vain less and less often. */
  async #pollCycles(signal: AbortSignal): Promise<void> {
    this.#polls++;
    for (const cycle of this.#watch.countable()) {
      const entry = this.#book.entry(cycle);
      const roster = this.#watch.rosterOf(cycle);
      if (roster === undefined || entry.tally?.isComplete === true || entry.nextPoll > this.#polls) continue;
      if (signal.aborted) return;
      const context = {
        client: this.#clients.nodes,
        intake: this.#intake,
        ledger: this.#ledger,
        book: this.#book,
        signal,
      };
      await this.#tried(() => new CyclePoll(cycle, roster, context).run(entry.polls));
      entry.polls++;
      entry.nextPoll = this.#polls + 2 ** Math.min(entry.polls - 1, 10);
    }
  }

  async #prune(): Promise<void> {
    const { counter, duration } = this.#watch.newest;
    // What nobody but the archiver says is no reason to forget anything.
    if (counter === this.#prunedAt || !this.#watch.isConfirmed) return;
    const keep = this.#keep;
    const cycles = "cycles" in keep ? keep.cycles : Math.ceil(keep.ageMs / (duration * 1000));
    for (const _cycle of this.#database.prune(Math.min(Math.max(cycles, 1), keepCyclesMax), Date.now())) {
      await setImmediate(); // others get their turn between two cycles
    }
    this.#prunedAt = counter;
  }

  async #tried(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#options.signal.aborted) return;
      if (!(error instanceof SnapshotError)) throw error;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#isFailing = true;
    this.#lastError = { at: new Date().toISOString(), message: messageOf(error) };
    this.warn(messageOf(error));
  }

  /** What does not change is said once, and not at every poll. */
  warn(message: string): void {
    if (this.#warned.has(message)) return;
    if (this.#warned.size >= warningsRememberedMax) this.#warned.clear();
    this.#warned.add(message);
    this.#options.reporter?.report({ type: "warning", message });
  }
}
