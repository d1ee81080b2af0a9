/** Requests gossip from validators over HTTP (PROTOCOL.md, Partition gossip). */

import {
  GossipError,
  type GossipErrorKind,
  type GossipRequest,
  type GossipSource,
} from "../agreement/requests/gossip-source.ts";
import { RecordFramer } from "../canonical/record-framer.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { decideRetry } from "../errors/retry.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import { gossipMessageBytesMax, gossipResponseBytesMax } from "../limits/gossip.ts";
import type { Cycle } from "../protocol/brands.ts";
import { type ActiveNode, nodeUrl } from "../protocol/node.ts";

/** The status of a cycle that is not finalized yet (PROTOCOL.md, Partial snapshots). */
const TOO_EARLY = 425;

export class HttpGossipSource implements GossipSource {
  readonly #client: HttpClient;

  constructor(client: HttpClient) {
    this.#client = client;
  }

  async *request(
    node: ActiveNode,
    cycle: Cycle,
    { signal, deadlineMs, messageBytesMax = gossipMessageBytesMax }: GossipRequest,
  ): AsyncGenerator<readonly Buffer[], void, void> {
    const framer = new RecordFramer("messages", { recordBytesMax: messageBytesMax, skipsLonger: true });
    let bytes = 0;
    try {
      const url = nodeUrl(node, `/partition-gossip?cycle=${cycle}`);
      const deadline = deadlineMs === undefined ? {} : { deadlineMs };
      for await (const chunk of this.#client.stream({ url, signal, ...deadline })) {
        bytes += chunk.length;
        if (bytes > gossipResponseBytesMax) {
          throw new ResponseError("too-large", `more than ${gossipResponseBytesMax} bytes of gossip`);
        }
        yield framer.push(chunk);
      }
      framer.end();
    } catch (error) {
      throw failureOf(error);
    }
  }
}

/** @returns the failure of the response; any other error unchanged */
function failureOf(error: unknown): unknown {
  if (error instanceof ResponseError) {
    return new GossipError(kindOfResponse(error), error.message, { cause: error });
  }
  if (!(error instanceof FetchError)) return error;
  return new GossipError(kindOfFetch(error), error.message, { cause: error });
}

function kindOfResponse({ kind }: ResponseError): GossipErrorKind {
  switch (kind) {
    case "malformed":
    case "truncated":
      return kind;
    case "too-large":
    case "over-budget":
      return "too-large";
  }
}

function kindOfFetch(error: FetchError): GossipErrorKind {
  switch (error.kind) {
    case "status":
      if (error.status === TOO_EARLY) return "not-finalized";
      return decideRetry(error, 1, 0).retry ? "temporary" : "permanent";
    case "unreachable":
    case "stalled":
    case "reset":
    case "tls":
    case "not-http":
    case "not-asked":
      return decideRetry(error, 1, 0).retry ? "temporary" : "permanent";
    case "redirect":
    case "too-large":
      return "unacceptable";
    case "aborted":
      return "aborted";
  }
}
