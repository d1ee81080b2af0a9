/** An HTTP server of JSON answers, whose handler refuses by throwing a {@link Refusal}. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../model/failure.ts";
import { Refusal } from "./refusal.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export class JsonServer {
  readonly #server: Server;

  constructor(handler: Handler) {
    this.#server = createServer((request, response) => {
      // A client may go away at any time.
      response.on("error", () => response.destroy());
      handled(handler, request, response);
    });
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
    if (response.headersSent) return void response.destroy();
    const refusal = error instanceof Refusal ? error : new Refusal(500, messageOf(error));
    sendRefusal(response, refusal);
  }
}

export function sendJson(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
}

export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  response.statusCode = refusal.status;
  if (refusal.retryAfterSeconds !== undefined) response.setHeader("Retry-After", refusal.retryAfterSeconds);
  sendJson(response, { error: refusal.message });
}

/** @throws Refusal with status 400 where the body is larger */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The socket must live on for the refusal.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Refusal(400, `the request's body has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
