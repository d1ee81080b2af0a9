/**
 * The collector's HTTP server: it takes pushed messages, sends the messages of a cycle (PROTOCOL.md, Partition gossip),
 * and reports health. Clients may be hostile, so bodies, connections and time are bounded.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, SnapshotError, systemCodeOf } from "../../errors/snapshot-error.ts";
import { addressPrefix } from "../../http-server/address-prefix.ts";
import { BodyError, type BodyProblem } from "../../http-server/body-error.ts";
import { BoundedServer } from "../../http-server/bounded-server.ts";
import { BodyBudget } from "../../http-server/request-body.ts";
import {
  collectConnectionsMax,
  collectConnectionsPerPrefixMax,
  collectRequestMs,
  gossipResponseMsMax,
  gossipResponsesMax,
  gossipResponsesPerPrefixMax,
  pushBodiesBytesMax,
  pushBodiesBytesPerPrefixMax,
  pushBodyBytesMax,
} from "../../limits/collect.ts";
import { bytesPerSecondMin } from "../../limits/http.ts";
import { requestHeaderBytesMax } from "../../limits/http-server.ts";
import { asCycle, type Cycle } from "../../protocol/brands.ts";
import { type JsonResponse, refusal, send } from "./response.ts";

export interface GossipRoutes {
  /** Handles a pushed body. Resolves once its messages are on the disk. */
  readonly push: (body: Buffer, address: string) => Promise<JsonResponse>;
  /** The messages of a cycle, one text each. */
  readonly messages: (cycle: Cycle) => AsyncGenerator<string, void, void>;
  readonly health: () => object;
}

const statusOfBody: Readonly<Record<BodyProblem, number>> = {
  "too-large": 413,
  fragmented: 400,
  gone: 400,
  busy: 503,
};

export class GossipServer {
  readonly #routes: GossipRoutes;
  readonly #server: BoundedServer;
  readonly #bodies = new BodyBudget({
    bytesMax: pushBodiesBytesMax,
    bytesPerPrefixMax: pushBodiesBytesPerPrefixMax,
  });
  /** Address prefix → responses with messages that are being sent there. */
  readonly #streams = new Map<string, number>();

  constructor(routes: GossipRoutes) {
    this.#routes = routes;
    this.#server = new BoundedServer((request, response) => this.#handle(request, response), {
      connectionsMax: collectConnectionsMax,
      connectionsPerPrefixMax: collectConnectionsPerPrefixMax,
      requestMs: collectRequestMs,
      idleMs: collectRequestMs,
      headerBytesMax: requestHeaderBytesMax,
    });
  }

  /** Listens, and returns its URL: `http://host:port`. */
  async listen(host: string, port: number): Promise<string> {
    let address: AddressInfo;
    try {
      address = await this.#server.listen(host, port);
    } catch (error) {
      throw listenError(host, port, error);
    }
    const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${shown}:${address.port}`;
  }

  /** Refuses new requests, and ends once the others have their responses, or after the given time. */
  async close(withinMs: number): Promise<void> {
    await this.#server.close(withinMs);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => response.destroy());
    try {
      const [path, query] = (request.url ?? "/").split("?", 2);
      switch (`${request.method} ${path}`) {
        case "POST /partition-gossip":
          return send(response, await this.#push(request));
        case "GET /partition-gossip":
          return await this.#sendMessages(response, new URLSearchParams(query).get("cycle"));
        case "GET /healthz":
          return send(response, { status: 200, body: this.#routes.health() });
        default:
          return send(
            response,
            refusal(404, "unknown request; known ones are POST and GET /partition-gossip, and GET /healthz"),
          );
      }
    } catch (error) {
      if (response.headersSent) response.destroy();
      else send(response, refusal(error instanceof SnapshotError ? 503 : 500, messageOf(error)));
    }
  }

  async #push(request: IncomingMessage): Promise<JsonResponse> {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") return refusal(415, "compressed bodies are not accepted");
    try {
      const body = await this.#bodies.read(request, pushBodyBytesMax);
      try {
        return await this.#routes.push(body.bytes, request.socket.remoteAddress ?? "");
      } finally {
        body.release();
      }
    } catch (error) {
      if (error instanceof BodyError) return refusal(statusOfBody[error.problem], error.message);
      throw error;
    }
  }

  async #sendMessages(response: ServerResponse, cycleText: string | null): Promise<void> {
    if (cycleText === null || !/^\d{1,15}$/.test(cycleText)) {
      return send(response, refusal(400, "cycle: not a whole number"));
    }
    const prefix = addressPrefix(response.req.socket.remoteAddress ?? "");
    const ofPrefix = this.#streams.get(prefix) ?? 0;
    const total = [...this.#streams.values()].reduce((sum, count) => sum + count, 0);
    if (ofPrefix >= gossipResponsesPerPrefixMax || total >= gossipResponsesMax) {
      return send(response, refusal(503, "too many cycles are being sent"));
    }
    this.#streams.set(prefix, ofPrefix + 1);
    try {
      await this.#streamMessages(response, asCycle(Number(cycleText)));
    } finally {
      const left = (this.#streams.get(prefix) ?? 1) - 1;
      if (left > 0) this.#streams.set(prefix, left);
      else this.#streams.delete(prefix);
    }
  }

  /** Sends one message at a time, and no faster than the client reads. Slow clients are disconnected. */
  async #streamMessages(response: ServerResponse, cycle: Cycle): Promise<void> {
    const { socket } = response.req;
    const startedMs = performance.now();
    let before = '{"messages":[';
    let bytes = 0;
    for await (const text of this.#routes.messages(cycle)) {
      if (socket.destroyed) return;
      if (bytes === 0) response.setHeader("Content-Type", "application/json");
      bytes += text.length;
      if (!response.write(before + text)) await drained(response);
      before = ",";
      const elapsedMs = performance.now() - startedMs;
      const isSlow = elapsedMs > collectRequestMs && bytes < (bytesPerSecondMin * elapsedMs) / 1000;
      if (isSlow || elapsedMs > gossipResponseMsMax) return void socket.destroy();
    }
    if (socket.destroyed) return;
    if (bytes === 0) return send(response, refusal(404, `no gossip for cycle ${cycle}`));
    response.end("]}");
  }
}

/** Resolves when the response can be written to, or its connection has closed. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = response.req;
    const settle = () => {
      response.off("drain", settle);
      socket.off("close", settle);
      resolve();
    };
    response.once("drain", settle);
    socket.once("close", settle);
  });
}

function listenError(host: string, port: number, error: unknown): SnapshotError {
  const reason = systemCodeOf(error) === "EADDRINUSE" ? "another program listens there" : messageOf(error);
  return new SnapshotError("configuration", `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    hint: "Give another address or port with --listen.",
  });
}
