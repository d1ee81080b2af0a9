/** What a validator has to do with the archiver: it learns from it who is active, and tells it its hashes. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { listBytesMax } from "../../limits/network.ts";
import { signed } from "../../protocol/crypto/signature.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { parseNodeList } from "../../wire/node-list.ts";
import { parseJson } from "../../wire/parse.ts";
import { archiverPauseMs, archiverTimeoutMs } from "../limits.ts";
import type { Identity } from "./identity.ts";

/** Times that the archiver is told the same before it is taken to be away. */
const announceAttempts = 3;

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
   * Waits until the archiver knows so many active nodes; answers them in ascending order of ID.
   *
   * @throws WireError where it answers with something else than a node list
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

  /** Tells the archiver the hashes of a cycle (PROTOCOL.md, Partition gossip: state metadata), signed. */
  async announce(cycle: number, networkHash: string, hashes: ReadonlyMap<number, string>): Promise<void> {
    const partitionHashes = Object.fromEntries(hashes);
    const metadata = {
      counter: cycle,
      stateHashes: [{ counter: cycle, partitionHashes, networkHash }],
      receiptHashes: [],
      summaryHashes: [],
    };
    const body = JSON.stringify(signed(metadata, this.#identity.privateKey));
    for (let attempt = 0; attempt < announceAttempts && !this.#signal.aborted; attempt++) {
      if ((await this.#request(`${this.#url}/state-metadata`, "POST", body)) !== undefined) return;
      await sleep(archiverPauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** The body of an answer with status 200; `undefined` where there is none. */
  async #request(
    url: string,
    method: "GET" | "POST",
    body: string | null = null,
  ): Promise<string | undefined> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(archiverTimeoutMs)]);
    const headers = { "content-type": "application/json" };
    const { origin, pathname: path } = new URL(url);
    try {
      const answer = await this.#agent.request({ origin, path, method, body, headers, signal });
      if (answer.statusCode === 200) return await answer.body.text();
      await answer.body.dump();
    } catch {
      // It may be restarting: who calls tries again.
    }
    return undefined;
  }
}
