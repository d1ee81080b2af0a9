/** Messages on their way to one other validator: those that gather while it answers go together. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import {
  errorBodyBytesMax,
  gossipBatchBytesMax,
  gossipMessagesPerPushMax,
  gossipPushAttemptsMax,
  gossipPushPauseMs,
  gossipPushTimeoutMs,
  outboxBytesMax,
  outboxMessagesMax,
} from "../../../limits/limits.ts";

/** `refused`: it will be refused again. */
type Outcome = "taken" | "refused" | "failed";

export class PeerOutbox {
  /** The index of the validator. */
  readonly peer: number;
  readonly #url: string;
  readonly #agent = new Agent({ connections: 1, pipelining: 1, maxResponseSize: errorBodyBytesMax });
  readonly #ending = new AbortController();
  #waiting: string[] = [];
  #bytes = 0;
  #sending: Promise<void> | undefined;

  constructor(peer: number, url: string) {
    this.peer = peer;
    this.#url = url;
  }

  /** Where too much waits for a validator that does not answer, the oldest is dropped. */
  add(message: string): void {
    this.#waiting.push(message);
    this.#bytes += message.length;
    while (this.#waiting.length > outboxMessagesMax || this.#bytes > outboxBytesMax) this.#shift();
    this.#sending ??= this.#sendAll();
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
      // It may be one of them that is too much; the others are not to go with it.
      for (const message of batch) await this.#send([message]);
    }
    this.#sending = undefined;
  }

  /** As many as may go together; one that is larger goes by itself. */
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
      const { statusCode, body: answer } = await this.#agent.request({
        origin: this.#url,
        path: "/partition-gossip",
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal,
      });
      await answer.dump();
      if (statusCode >= 500) return "failed";
      return statusCode >= 400 ? "refused" : "taken";
    } catch {
      return "failed";
    }
  }
}
