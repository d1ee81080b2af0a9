/** A validator's connection to the archiver: requests the active nodes, and reports hashes. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { listBytesMax } from "../../limits/network.ts";
import type { Cycle, HashHex, Partition } from "../../protocol/brands.ts";
import { signed } from "../../protocol/crypto/signature.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { parseNodeList } from "../../wire/node-list.ts";
import { parseJson } from "../../wire/parse.ts";
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

  /**
   * Waits until the archiver lists a number of active nodes. Returns them in ascending order of ID.
   *
   * @throws WireError where the response is not a node list
   */
  async activeNodes(count: number): Promise<readonly ActiveNode[]> {
    const url = `${this.#url}/full-nodelist`;
    for (;;) {
      this.#signal.throwIfAborted();
      const text = await this.#request(url, "GET");
      if (text !== undefined) {
        const { nodes } = parseNodeList(parseJson(text, url), url);
        if (nodes.length === count) return nodes;
      }
      await sleep(archiverPauseMs, undefined, { signal: this.#signal });
    }
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
      if ((await this.#request(`${this.#url}/state-metadata`, "POST", body)) !== undefined) return;
      await sleep(archiverPauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** Returns the body of a response with status 200, and otherwise `undefined`. */
  async #request(
    url: string,
    method: "GET" | "POST",
    body: string | null = null,
  ): Promise<string | undefined> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(archiverTimeoutMs)]);
    const headers = { "content-type": "application/json" };
    const { origin, pathname: path } = new URL(url);
    try {
      const response = await this.#agent.request({ origin, path, method, body, headers, signal });
      if (response.statusCode === 200) return await response.body.text();
      await response.body.dump();
    } catch {
      // The archiver may be restarting. The caller retries.
    }
    return undefined;
  }
}
