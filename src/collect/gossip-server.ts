/**
 * The collector's HTTP side: takes pushed messages in, hands out what it has (PROTOCOL.md, Partition gossip),
 * and says how it is. Whoever connects may be hostile: bodies, connections and time are bounded.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Failure, messageOf, systemCodeOf } from "../model/failure.ts";
import {
  collectConnectionsMax,
  collectConnectionsPerAddressMax,
  collectRequestMs,
  headerBytesMax,
  pushBodiesBytesMax,
  pushBodyBytesMax,
} from "../model/limits.ts";

/** An answer other than a stream. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface GossipRoutes {
  /** Takes a pushed body in; answers once what it holds is safe. */
  readonly push: (body: Buffer, address: string) => Promise<Answer>;
  /** The messages of a cycle in pages, each as received; `undefined` where there are none. */
  readonly pages: (cycle: number) => Generator<readonly string[], void, void> | undefined;
  readonly health: () => object;
}

const noLongerMs = 2_000;

export class GossipServer {
  readonly #routes: GossipRoutes;
  readonly #server: Server;
  readonly #connections = new Map<string, number>();
  #bodiesBytes = 0;

  constructor(routes: GossipRoutes) {
    this.#routes = routes;
    this.#server = createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: collectRequestMs,
      requestTimeout: collectRequestMs,
      keepAliveTimeout: collectRequestMs,
      connectionsCheckingInterval: noLongerMs,
    });
    this.#server.maxConnections = collectConnectionsMax;
    this.#server.timeout = collectRequestMs;
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("request", (request, response) => void this.#handle(request, response));
  }

  /** Listens, and answers where: `http://host:port`. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => reject(listenFailure(host, port, error));
      this.#server.once("error", failed).listen(port, host, () => {
        this.#server.off("error", failed);
        resolve();
      });
    });
    const address = this.#server.address() as AddressInfo;
    const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${shown}:${address.port}`;
  }

  /** Takes nothing new, and ends once what was begun is answered, or after the given time. */
  async close(withinMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), withinMs);
    await closed;
    clearTimeout(timer);
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const count = (this.#connections.get(address) ?? 0) + 1;
    this.#connections.set(address, count);
    socket.once("close", () => {
      const left = (this.#connections.get(address) ?? 1) - 1;
      if (left > 0) this.#connections.set(address, left);
      else this.#connections.delete(address);
    });
    if (count > collectConnectionsPerAddressMax) socket.destroy();
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
          return send(response, refusal(404, "there is POST and GET /partition-gossip, and GET /healthz"));
      }
    } catch (error) {
      if (response.headersSent) response.destroy();
      else send(response, refusal(error instanceof Failure ? 503 : 500, messageOf(error)));
    }
  }

  async #push(request: IncomingMessage): Promise<Answer> {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") return refusal(415, "compressed bodies are not taken");
    if (Number(request.headers["content-length"] ?? 0) > pushBodyBytesMax) return tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        this.#bodiesBytes += chunk.length;
        if (bytes > pushBodyBytesMax) return tooLarge();
        if (this.#bodiesBytes > pushBodiesBytesMax) return refusal(503, "too much is being pushed at once");
        chunks.push(chunk);
      }
      const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      return await this.#routes.push(body, request.socket.remoteAddress ?? "");
    } finally {
      this.#bodiesBytes -= bytes;
    }
  }

  async #sendMessages(response: ServerResponse, cycleText: string | null): Promise<void> {
    if (cycleText === null || !/^\d{1,15}$/.test(cycleText)) {
      return send(response, refusal(400, "cycle: not a whole number"));
    }
    const pages = this.#routes.pages(Number(cycleText));
    if (pages === undefined) return send(response, refusal(404, `no gossip for cycle ${cycleText}`));
    response.setHeader("Content-Type", "application/json");
    let before = '{"messages":[';
    for (const page of pages) {
      const isRoom = response.write(before + page.join(","));
      before = ",";
      if (!isRoom) await drained(response);
      if (response.destroyed) return;
    }
    response.end("]}");
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...(status === 503 || status === 429 ? { "Retry-After": "5" } : {}),
    // What is left of a refused body is not read: the connection ends with the answer.
    ...(response.req.complete || response.req.method === "GET" ? {} : { Connection: "close" }),
  });
  response.end(text);
}

export function refusal(status: number, problem: string): Answer {
  return { status, body: { error: problem } };
}

function tooLarge(): Answer {
  return refusal(413, `the request's body has more than ${pushBodyBytesMax} bytes`);
}

/** Resolves when there is room for more, or nobody left to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off("drain", settle).off("close", settle);
      resolve();
    };
    response.once("drain", settle).once("close", settle);
  });
}

function listenFailure(host: string, port: number, error: Error): Failure {
  const reason = systemCodeOf(error) === "EADDRINUSE" ? "another program listens there" : error.message;
  return new Failure("configuration", `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    hint: "Give another address or port with --listen.",
  });
}
