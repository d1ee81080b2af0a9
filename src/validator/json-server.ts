/** An HTTP server of JSON answers, whose handler refuses by throwing a {@link Refusal}. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../model/failure.ts";
import { serverBodiesBytesMax, serverConnectionsMax, serverRequestMs } from "../model/limits.ts";
import { Refusal } from "./refusal.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export class JsonServer {
  readonly #server: Server;

  constructor(handler: Handler) {
    this.#server = createServer(
      { requestTimeout: serverRequestMs, headersTimeout: serverRequestMs },
      (request, response) => {
        // A client may go away at any time.
        response.on("error", () => response.destroy());
        void handled(handler, request, response);
      },
    );
    this.#server.maxConnections = serverConnectionsMax;
  }

  /** Listens on the port, or on a free one; answers where: `http://host:port`. */
  async listen(host: string, port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, host, resolve);
    });
    const address = this.#server.address() as AddressInfo;
    return `http://${host}:${address.port}`;
  }

  /** Ends at once, answers under way included. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function handled(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    // Who has gone away is not answered.
    if (response.headersSent || request.socket.destroyed) return void response.destroy();
    // What is left of a request that is refused is not read: the connection ends with the answer.
    if (!request.complete) response.setHeader("Connection", "close");
    sendRefusal(response, error instanceof Refusal ? error : internalError(error));
  }
}

/** A defect of ours is told to whoever runs the server, and not to whoever asks. */
function internalError(error: unknown): Refusal {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  return new Refusal(500, "an error of this server");
}

/** @throws Refusal with status 400 where it is none */
export function urlOf(request: IncomingMessage): URL {
  const base = "http://server";
  const url = request.url ?? "/";
  if (!url.startsWith("/") || !URL.canParse(base + url))
    throw new Refusal(400, "the request's target is no path");
  return new URL(base + url);
}

export function sendJson(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
}

export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  response.statusCode = refusal.status;
  if (refusal.retryAfterSeconds !== undefined) response.setHeader("Retry-After", refusal.retryAfterSeconds);
  sendJson(response, { error: refusal.message });
}

/** Of all requests of this process whose bodies are being read. */
let bodiesBytes = 0;

/** @throws Refusal with status 400 where the body is larger, 503 where all bodies together are too large */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const tooLarge = () => new Refusal(400, `the request's body has more than ${bytesMax} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // The socket must live on for the refusal.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      bodiesBytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge();
      if (bodiesBytes > serverBodiesBytesMax) {
        throw new Refusal(503, "too much is being sent at once", { retryAfterSeconds: 1 });
      }
      chunks.push(chunk);
    }
  } finally {
    bodiesBytes -= bytes;
  }
  return Buffer.concat(chunks).toString("utf8");
}
