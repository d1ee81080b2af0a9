/**
 * Reads the votes in the evidence of another archiver's snapshot. They are admitted like any others: only the signatures
 * of the node list's validators make them count. Without them, the run goes on with the validators' own.
 */

import { FetchError } from "../../errors/fetch-error.ts";
import { ResponseError } from "../../errors/response-error.ts";
import { decideRetry } from "../../errors/retry.ts";
import type { HttpClient } from "../../fetch/http/http-client.ts";
import { sleep } from "../../fetch/sleep.ts";
import { GOSSIP_FILE } from "../../format/evidence/gossip.ts";
import { evidenceTimeMaxMs } from "../../limits/gossip.ts";
import { fileUrl, mirrorName } from "../../mirror/mirror-url.ts";
import { WireError } from "../../wire/parse.ts";
import { messagesIn } from "./message-splitter.ts";

export interface EvidenceContext {
  readonly client: HttpClient;
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export class MirrorEvidence implements AsyncIterable<string> {
  /** The URL of the votes, without secrets. */
  readonly source: string;
  readonly #url: string;
  readonly #context: EvidenceContext;

  /** @param timestamp of the snapshot, milliseconds */
  constructor(mirror: string, timestamp: number, context: EvidenceContext) {
    this.#url = fileUrl(mirror, timestamp, GOSSIP_FILE);
    this.source = mirrorName(this.#url);
    this.#context = context;
  }

  /** Yields the messages; after a failure that passes, from the first one again. Any failure is a warning. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    const { client, warn, signal } = this.#context;
    const endMs = performance.now() + evidenceTimeMaxMs;
    for (let failures = 1; ; failures++) {
      try {
        const deadlineMs = Math.max(1, endMs - performance.now());
        yield* messagesIn(client.stream({ url: this.#url, signal, deadlineMs }), "the file");
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (!isTheirs(error)) throw error;
        const retry = error instanceof FetchError ? decideRetry(error, failures, Math.random()) : undefined;
        if (retry?.retry !== true || performance.now() + retry.delayMs >= endMs) {
          warn(`cannot read the votes of ${this.source}: ${error.message}; check --evidence`);
          return;
        }
        await sleep(retry.delayMs, signal);
      }
    }
  }
}

function isTheirs(error: unknown): error is FetchError | ResponseError | WireError {
  return error instanceof FetchError || error instanceof ResponseError || error instanceof WireError;
}
