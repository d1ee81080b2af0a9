/**
 * An HTTP server for strangers. Connections are bounded in all and for each address prefix, and so is what one of
 * them can make this process hold: the parser turns all pipelined requests into objects, and goes on reading while
 * they wait for their responses, so a connection ends where too many do. The parser is given little at a time, since it
 * goes on to the end of what it has been given, and many connections are read before the first of them has ended.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import {
  parsedBytesAtOnce,
  pipelinedRequestsMax,
  requestHeadersMax,
  waitingRequestsPerPrefixMax,
} from "../limits/limits.ts";
import { addressPrefix } from "./address-prefix.ts";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface ServerBounds {
  readonly connectionsMax: number;
  readonly connectionsPerPrefixMax: number;
  /** How long a request may take to come whole, and a connection may be without any. */
  readonly requestMs: number;
  /** How long nothing may move on a connection, whatever is under way; without it there is no such bound. */
  readonly idleMs?: number;
  readonly headerBytesMax: number;
}

/** What one address prefix takes up. */
interface Client {
  /** The oldest first. */
  readonly sockets: Set<Socket>;
  requests: number;
}

interface Connection {
  readonly client: Client;
  /** Requests that are not answered yet. */
  requests: number;
}

export class BoundedServer {
  readonly #handler: RequestHandler;
  readonly #bounds: ServerBounds;
  readonly #server: Server;
  readonly #clients = new Map<string, Client>();
  readonly #connections = new Map<Socket, Connection>();

  /** @param handler answers each request, and never throws */
  constructor(handler: RequestHandler, bounds: ServerBounds) {
    this.#handler = handler;
    this.#bounds = bounds;
    const { requestMs, headerBytesMax } = bounds;
    this.#server = createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      keepAliveTimeout: requestMs,
      connectionsCheckingInterval: Math.min(requestMs, 2_000),
    });
    this.#server.maxHeadersCount = requestHeadersMax;
    this.#server.timeout = bounds.idleMs ?? 0;
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("request", (request, response) => this.#begin(request, response));
  }

  /** @throws the error of the system where it cannot listen there */
  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return this.#server.address() as AddressInfo;
  }

  /** Takes nothing new, and ends once what was begun is answered, or after the given time. */
  async close(withinMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const end = () => {
      for (const socket of this.#connections.keys()) socket.destroy();
    };
    if (withinMs <= 0) end();
    const timer = setTimeout(end, withinMs);
    await closed;
    clearTimeout(timer);
  }

  #admit(socket: Socket): void {
    const prefix = addressPrefix(socket.remoteAddress ?? "");
    const client = this.#clients.get(prefix) ?? { sockets: new Set(), requests: 0 };
    const { connectionsMax, connectionsPerPrefixMax } = this.#bounds;
    if (client.sockets.size >= connectionsPerPrefixMax) return void socket.destroy();
    if (this.#connections.size >= connectionsMax && !this.#makeRoom(client)) return void socket.destroy();
    parseInSlices(socket);
    client.sockets.add(socket);
    this.#clients.set(prefix, client);
    const connection: Connection = { client, requests: 0 };
    this.#connections.set(socket, connection);
    socket.once("close", () => {
      this.#connections.delete(socket);
      client.sockets.delete(socket);
      client.requests -= connection.requests;
      connection.requests = 0;
      if (client.sockets.size === 0) this.#clients.delete(prefix);
    });
  }

  /** Ends the oldest connection of whoever has most, so that nobody can keep others out. */
  #makeRoom(newcomer: Client): boolean {
    let greediest = newcomer;
    for (const client of this.#clients.values()) {
      if (client.sockets.size > greediest.sockets.size) greediest = client;
    }
    if (greediest === newcomer) return false;
    const [oldest] = greediest.sockets;
    oldest?.destroy();
    return oldest !== undefined;
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined || socket.destroyed) return;
    const { client } = connection;
    if (connection.requests >= pipelinedRequestsMax || client.requests >= waitingRequestsPerPrefixMax) {
      socket.destroy();
      return;
    }
    connection.requests++;
    client.requests++;
    response.on("error", () => response.destroy());
    // When the response has been handed to the system: until then, whoever does not read it keeps it here.
    response.once("finish", () => {
      if (connection.requests === 0) return; // the connection is gone, and its count with it
      connection.requests--;
      client.requests--;
    });
    void this.#handler(request, response);
  }
}

/** Passes what a connection receives on to the parser in slices, until the connection has ended. */
function parseInSlices(socket: Socket): void {
  const emit = socket.emit;
  // Without a listener of our own, the parser reads the connection by itself.
  socket.on("data", () => undefined);
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    const [chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk)) return Reflect.apply(emit, socket, [event, ...args]);
    for (let start = 0; start < chunk.length && !socket.destroyed; start += parsedBytesAtOnce) {
      if (start > 0 && socket.isPaused()) {
        // Responses wait to be read, so that the parser takes no more: it gets the rest once they have been.
        socket.unshift(chunk.subarray(start));
        break;
      }
      Reflect.apply(emit, socket, [event, chunk.subarray(start, start + parsedBytesAtOnce)]);
    }
    return true;
  };
}
