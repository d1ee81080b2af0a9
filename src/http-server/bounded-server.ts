/**
 * An HTTP server for untrusted clients. The number of connections is bounded, in total and for each address prefix. So
 * is the memory of a connection: the parser makes objects of all pipelined requests, even while earlier ones wait for
 * their responses, so the server closes a connection with too many waiting requests.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import {
  pipelinedRequestsMax,
  requestHeadersMax,
  waitingRequestsPerPrefixMax,
} from "../limits/http-server.ts";
import { addressPrefix } from "./address-prefix.ts";
import { parseInSlices } from "./parse-in-slices.ts";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface ServerBounds {
  readonly connectionsMax: number;
  readonly connectionsPerPrefixMax: number;
  /** The longest time for a request to arrive, and the longest idle time of a connection. */
  readonly requestMs: number;
  /** The longest time without traffic on a connection, also during a request; unbounded if absent. */
  readonly idleMs?: number;
  readonly headerBytesMax: number;
}

/** The connections and requests of one address prefix. */
interface Client {
  /** The oldest first. */
  readonly sockets: Set<Socket>;
  requests: number;
}

interface Connection {
  readonly client: Client;
  /** Requests without a response yet. */
  requests: number;
}

export class BoundedServer {
  readonly #handler: RequestHandler;
  readonly #bounds: ServerBounds;
  readonly #server: Server;
  readonly #clients = new Map<string, Client>();
  readonly #connections = new Map<Socket, Connection>();
  #isClosing = false;

  /** @param handler responds to each request, and never throws */
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

  /** The server, for frameworks that add routes to it. */
  get server(): Server {
    return this.#server;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Starts to listen, and returns the address.
   *
   * @throws the system's error if the server cannot listen there
   */
  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return this.#server.address() as AddressInfo;
  }

  /** Accepts no new connections, and ends when all requests have their responses, or after the given time. */
  async close(withinMs: number): Promise<void> {
    if (!this.#server.listening) return;
    this.#isClosing = true;
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

  /** Closes the oldest connection of the prefix that has the most, so that no client can exclude others. */
  #makeRoom(newcomer: Client): boolean {
    let largest = newcomer;
    for (const client of this.#clients.values()) {
      if (client.sockets.size > largest.sockets.size) largest = client;
    }
    if (largest === newcomer) return false;
    const [oldest] = largest.sockets;
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
    // A finished response is in the system's buffers. Until then, a client that does not read it occupies memory.
    response.once("finish", () => {
      if (this.#isClosing) setImmediate(() => this.#server.closeIdleConnections());
      if (connection.requests === 0) return; // the connection has closed, and its requests are no longer counted
      connection.requests--;
      client.requests--;
    });
    void this.#handler(request, response);
  }
}
