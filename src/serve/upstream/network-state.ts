/**
 * The mode and the nodes of the network, as the archiver behind the server states them. Without a recent answer, the network
 * is in no mode and has no nodes: nobody is served accounts.
 */

import { messageOf } from "../../errors/snapshot-error.ts";
import { HttpClient } from "../../fetch/http/http-client.ts";
import { listBytesMax } from "../../limits/network.ts";
import {
  upstreamAnswerCountsMs,
  upstreamAnswerTimeMs,
  upstreamAskMinMs,
  upstreamCycleBytesMax,
  upstreamPollMaxMs,
  upstreamPollMinMs,
  upstreamPollMs,
} from "../../limits/serve-archiver.ts";
import { type NewestCycle, parseNewestCycle, parseNodeKeys } from "../../wire/network-mode.ts";
import { parseJson } from "../../wire/parse.ts";
import { urlAt } from "./upstream-url.ts";

const restoreMode = "restore";

interface Answer extends NewestCycle {
  readonly keys: ReadonlySet<string>;
  /** When it was received, in milliseconds of a clock that never goes back. */
  readonly receivedAtMs: number;
}

/** What the checks of requests ask about the network. */
export interface NetworkState {
  isRestoring(): boolean;
  isNode(publicKey: string): boolean;
  /** Asks the archiver again, unless that was done a moment ago. Never throws. */
  refresh(): Promise<void>;
}

/** The state without an archiver: nobody knows the mode or the nodes. */
export const unknownNetwork: NetworkState = {
  isRestoring: () => false,
  isNode: () => false,
  refresh: () => Promise.resolve(),
};

export class UpstreamNetwork implements NetworkState {
  readonly #upstream: string;
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  readonly #client = new HttpClient({
    connectTimeoutMs: upstreamAnswerTimeMs,
    stallTimeoutMs: upstreamAnswerTimeMs,
  });
  readonly #closing = new AbortController();
  #answer: Answer | undefined;
  #problem: string | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param upstream the URL of the archiver
   * @param warn called when the archiver stops answering, and when it answers again
   * @param now the milliseconds of a clock that never goes back
   */
  constructor(upstream: string, warn: (message: string) => void, now = () => performance.now()) {
    this.#upstream = upstream;
    this.#warn = warn;
    this.#now = now;
  }

  /** Asks the archiver now, and then every cycle. */
  async start(): Promise<void> {
    await this.#ask();
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#asking;
    await this.#client.close();
  }

  /** The mode of the network; `undefined` if it is not known. */
  get mode(): string | undefined {
    return this.#current?.mode;
  }

  isRestoring(): boolean {
    return this.mode === restoreMode;
  }

  isNode(publicKey: string): boolean {
    return this.#current?.keys.has(publicKey) === true;
  }

  async refresh(): Promise<void> {
    if (this.#asking === undefined && this.#now() - this.#askedAtMs < upstreamAskMinMs) return;
    await this.#ask();
  }

  get #current(): Answer | undefined {
    const answer = this.#answer;
    if (answer === undefined) return undefined;
    return this.#now() - answer.receivedAtMs <= upstreamAnswerCountsMs ? answer : undefined;
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    const cycleMs =
      this.#answer?.durationSeconds === undefined ? upstreamPollMs : this.#answer.durationSeconds * 1000;
    const pauseMs = Math.min(Math.max(cycleMs, upstreamPollMinMs), upstreamPollMaxMs);
    this.#timer = setTimeout(() => {
      void this.#ask().then(() => this.#schedule());
    }, pauseMs);
    this.#timer.unref();
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#read().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Never throws. A failure leaves the last answer, which counts for a while. */
  async #read(): Promise<void> {
    this.#askedAtMs = this.#now();
    try {
      const [cycle, active, syncing] = await Promise.all([
        this.#get("cycleinfo/1", upstreamCycleBytesMax, parseNewestCycle),
        this.#get("full-nodelist?activeOnly=true", listBytesMax, parseNodeKeys),
        this.#get("full-nodelist?syncingOnly=true", listBytesMax, parseNodeKeys),
      ]);
      // It counts from when it was asked for: it may have been on its way.
      this.#answer = { ...cycle, keys: new Set([...active, ...syncing]), receivedAtMs: this.#askedAtMs };
      this.#settle(undefined);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#settle(messageOf(error));
    }
  }

  async #get<T>(path: string, bytesMax: number, parse: (received: unknown, source: string) => T): Promise<T> {
    const request = {
      url: urlAt(this.#upstream, path),
      signal: this.#closing.signal,
      deadlineMs: upstreamAnswerTimeMs,
    };
    const bytes = await this.#client.whole(request, bytesMax);
    return parse(parseJson(bytes.toString("utf8"), path), path);
  }

  #settle(problem: string | undefined): void {
    const before = this.#problem;
    this.#problem = problem;
    if (problem !== undefined && before === undefined) {
      this.#warn(
        `the archiver behind this server does not state the mode and the nodes of the network: ${problem}. Validators get no accounts from ${Math.round(upstreamAnswerCountsMs / 1000)} seconds after its last answer on.`,
      );
    } else if (problem === undefined && before !== undefined) {
      this.#warn("the archiver behind this server answers again");
    }
  }
}
