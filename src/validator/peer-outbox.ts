/** Messages on their way to one other validator: those that gather while it answers go together. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import {
  errorBodyBytesMax,
  gossipMessagesPerPushMax,
  gossipPushAttemptsMax,
  gossipPushPauseMs,
  gossipPushTimeoutMs,
  outboxMessagesMax,
} from "../model/limits.ts";

export class PeerOutbox {
  /** The index of the validator. */
  readonly peer: number;
  readonly #url: string;
  readonly #agent = new Agent({ connections: 1, pipelining: 1, maxResponseSize: errorBodyBytesMax });
  readonly #ending = new AbortController();
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;

  constructor(peer: number, url: string) {
    this.peer = peer;
    this.#url = url;
  }

  /** What waits for a validator that does not answer is dropped from some number on, the oldest first. */
  add(message: string): void {
    this.#waiting.push(message);
    if (this.#waiting.length > outboxMessagesMax) this.#waiting.shift();
    this.#sending ??= this.#sendAll();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#sending;
    await this.#agent.destroy();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#ending.signal.aborted) {
      const messages = this.#waiting.splice(0, gossipMessagesPerPushMax);
      const body = `{"messages":[${messages.join(",")}]}`;
      for (let attempt = 1; attempt <= gossipPushAttemptsMax; attempt++) {
        if (await this.#isPushed(body)) break;
        await sleep(gossipPushPauseMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      }
    }
    this.#sending = undefined;
  }

  async #isPushed(body: string): Promise<boolean> {
    try {
      const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(gossipPushTimeoutMs)]);
      const response = await this.#agent.request({
        origin: this.#url,
        path: "/partition-gossip",
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal,
      });
      await response.body.dump();
      // What it refuses now, it will refuse again.
      return response.statusCode < 500;
    } catch {
      return false;
    }
  }
}
