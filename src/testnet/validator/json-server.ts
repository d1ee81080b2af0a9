/** An HTTP server with JSON responses. Its handler rejects a request by throwing an {@link HttpError}. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../errors/snapshot-error.ts";
import { BodyError, type BodyProblem } from "../../http-server/body-error.ts";
import { BoundedServer } from "../../http-server/bounded-server.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { BodyBudget } from "../../http-server/request-body.ts";
import { requestHeaderBytesMax } from "../../limits/http-server.ts";
import {
  serverBodiesBytesMax,
  serverBodiesBytesPerPrefixMax,
  serverConnectionsMax,
  serverConnectionsPerPrefixMax,
  serverRequestMs,
} from "../limits.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export class JsonServer {
  readonly #server: BoundedServer;

  constructor(handler: Handler) {
    this.#server = new BoundedServer((request, response) => handled(handler, request, response), {
      connectionsMax: serverConnectionsMax,
      connectionsPerPrefixMax: serverConnectionsPerPrefixMax,
      requestMs: serverRequestMs,
      headerBytesMax: requestHeaderBytesMax,
    });
  }

  /** Listens on the port, or on any free one. Returns the URL: `http://host:port`. */
  async listen(host: string, port = 0): Promise<string> {
    const address = await this.#server.listen(host, port);
    return `http://${host}:${address.port}`;
  }

  /** Ends at once, with the responses in progress. */
  async close(): Promise<void> {
    await this.#server.close(0);
  }
}

async function handled(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    // A response to a client that disconnected is not possible.
    if (response.headersSent || request.socket.destroyed) return void response.destroy();
    // The rest of a rejected request is not read: the connection ends with the response.
    if (!request.complete) response.setHeader("Connection", "close");
    sendHttpError(response, error instanceof HttpError ? error : internalError(error));
  }
}

/** Prints a bug on stderr, and hides it from the client. */
function internalError(error: unknown): HttpError {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  return new HttpError(500, "internal error");
}

/**
 * Returns the path and the query of a request as a URL.
 *
 * @throws HttpError with status 400 where the target of the request is not a path
 */
export function urlOf(request: IncomingMessage): URL {
  const base = "http://server";
  const url = request.url ?? "/";
  if (!url.startsWith("/") || !URL.canParse(base + url))
    throw new HttpError(400, "the target of the request is not a path");
  return new URL(base + url);
}

export function sendJson(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
}

export function sendHttpError(response: ServerResponse, refusal: HttpError): void {
  response.statusCode = refusal.status;
  if (refusal.retryAfterSeconds !== undefined) response.setHeader("Retry-After", refusal.retryAfterSeconds);
  sendJson(response, { error: refusal.message });
}

/** The request bodies of all servers of this process. */
const bodies = new BodyBudget({
  bytesMax: serverBodiesBytesMax,
  bytesPerPrefixMax: serverBodiesBytesPerPrefixMax,
});

const statusOfBody: Readonly<Record<BodyProblem, 400 | 503>> = {
  "too-large": 400,
  fragmented: 400,
  gone: 400,
  busy: 503,
};

/**
 * Reads the body of a request as text.
 *
 * @throws HttpError with status 400 where the body is larger, 503 where the budget of all bodies is used up
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  try {
    const body = await bodies.read(request, bytesMax);
    const text = body.bytes.toString("utf8");
    body.release();
    return text;
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    const status = statusOfBody[error.problem];
    throw new HttpError(status, error.message, status === 503 ? { retryAfterSeconds: 1 } : {});
  }
}
