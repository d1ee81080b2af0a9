/** The queue of messages to one peer. Those that are queued while a request is under way are sent together. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { errorBodyBytesMax } from "../../../limits/http.ts";
import {
  gossipBatchBytesMax,
  gossipMessagesPerPushMax,
  gossipPushAttemptsMax,
  gossipPushPauseMs,
  gossipPushTimeoutMs,
  outboxBytesMax,
  outboxMessagesMax,
} from "../../limits.ts";

/** `refused`: the peer would refuse it again. */
type Outcome = "taken" | "refused" | "failed";

export class PeerOutbox {
  readonly #url: string;
  readonly #agent = new Agent({ connections: 1, pipelining: 1, maxResponseSize: errorBodyBytesMax });
  readonly #ending = new AbortController();
  #waiting: string[] = [];
  #bytes = 0;
  #sending: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Where too much is queued for a peer that does not respond, the oldest message is dropped. */
  add(message: string): void {
    this.#waiting.push(message);
    this.#bytes += message.length;
    while (this.#waiting.length > outboxMessagesMax || this.#bytes > outboxBytesMax) this.#shift();
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when everything that was queued is sent or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#sending;
    await this.#agent.destroy();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#ending.signal.aborted) {
      const batch = this.#nextBatch();
      if ((await this.#send(batch)) !== "refused" || batch.length === 1) continue;
      // The peer may refuse one of them only: each is sent alone.
      for (const message of batch) await this.#send([message]);
    }
    this.#sending = undefined;
  }

  /** Returns the messages of one request; a message that is larger than a batch is sent alone. */
  #nextBatch(): string[] {
    const batch: string[] = [];
    let bytes = 0;
    while (batch.length < gossipMessagesPerPushMax) {
      const next = this.#waiting[0];
      if (next === undefined || (batch.length > 0 && bytes + next.length > gossipBatchBytesMax)) break;
      bytes += next.length;
      batch.push(next);
      this.#shift();
    }
    return batch;
  }

  #shift(): void {
    this.#bytes -= this.#waiting.shift()?.length ?? 0;
  }

  async #send(messages: readonly string[]): Promise<Outcome> {
    const body = `{"messages":[${messages.join(",")}]}`;
    let outcome: Outcome = "failed";
    for (let attempt = 1; attempt <= gossipPushAttemptsMax && !this.#ending.signal.aborted; attempt++) {
      outcome = await this.#push(body);
      if (outcome !== "failed") break;
      await sleep(gossipPushPauseMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
    }
    return outcome;
  }

  async #push(body: string): Promise<Outcome> {
    try {
      const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(gossipPushTimeoutMs)]);
      const { statusCode, body: responseBody } = await this.#agent.request({
        origin: this.#url,
        path: "/partition-gossip",
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal,
      });
      await responseBody.dump();
      if (statusCode >= 500) return "failed";
      return statusCode >= 400 ? "refused" : "taken";
    } catch {
      return "failed";
    }
  }
}
