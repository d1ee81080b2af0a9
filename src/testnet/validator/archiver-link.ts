/** A validator's connection to the archiver: where the transaction log is, and the report of hashes. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { listBytesMax } from "../../limits/network.ts";
import type { Cycle, HashHex, Partition } from "../../protocol/brands.ts";
import { signed } from "../../protocol/crypto/signature.ts";
import { archiverPauseMs, archiverTimeoutMs } from "../limits.ts";
import type { Identity } from "./identity.ts";

/** Attempts to report hashes. */
const announceAttemptsMax = 3;

export class ArchiverLink {
  readonly #url: string;
  readonly #identity: Identity;
  readonly #signal: AbortSignal;
  readonly #agent = new Agent({ maxResponseSize: listBytesMax });

  constructor(url: string, identity: Identity, signal: AbortSignal) {
    this.#url = url;
    this.#identity = identity;
    this.#signal = signal;
  }

  get logUrl(): string {
    return `${this.#url}/transaction-log`;
  }

  /** Sends the hashes of a cycle as signed state metadata (PROTOCOL.md, Partition gossip). */
  async announce(cycle: Cycle, networkHash: HashHex, hashes: ReadonlyMap<Partition, HashHex>): Promise<void> {
    const partitionHashes = Object.fromEntries(hashes);
    const metadata = {
      counter: cycle,
      stateHashes: [{ counter: cycle, partitionHashes, networkHash }],
      receiptHashes: [],
      summaryHashes: [],
    };
    const body = JSON.stringify(signed(metadata, this.#identity.privateKey));
    for (let attempt = 0; attempt < announceAttemptsMax && !this.#signal.aborted; attempt++) {
      if (await this.#post("/state-metadata", body)) return;
      await sleep(archiverPauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** Returns whether the response has status 200. */
  async #post(path: string, body: string): Promise<boolean> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(archiverTimeoutMs)]);
    const headers = { "content-type": "application/json" };
    try {
      const response = await this.#agent.request({
        origin: this.#url,
        path,
        method: "POST",
        body,
        headers,
        signal,
      });
      await response.body.dump();
      return response.statusCode === 200;
    } catch {
      // The archiver may be restarting. The caller retries.
      return false;
    }
  }
}
