/**
 * The HTTP server of snapshots: a fastify instance on a server whose connections, bodies and time are bounded. Routes are
 * plugins that get what they serve by argument.
 */

import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { messageOf, SnapshotError, systemCodeOf } from "../errors/snapshot-error.ts";
import { BoundedServer } from "../http-server/bounded-server.ts";
import { BodyBudget } from "../http-server/request-body.ts";
import { requestHeaderBytesMax } from "../limits/http-server.ts";
import {
  serveBodiesBytesMax,
  serveBodiesBytesPerPrefixMax,
  serveBodyBytesMax,
  serveConnectionsMax,
  serveConnectionsPerPrefixMax,
  servePathParameterMax,
  serveRequestMs,
} from "../limits/serve.ts";
import type { Listen } from "../options/option-texts.ts";
import { answerErrors } from "./error-answers.ts";
import { endSlowResponses } from "./slow-clients.ts";

export class SnapshotServer {
  readonly app: FastifyInstance;
  readonly #server: BoundedServer;

  /** @param warn called with a defect that a request met */
  constructor(warn: (message: string) => void) {
    let bounded: BoundedServer | undefined;
    this.app = fastify({
      serverFactory: (handle) => {
        bounded = new BoundedServer(async (request, response) => handle(request, response), {
          connectionsMax: serveConnectionsMax,
          connectionsPerPrefixMax: serveConnectionsPerPrefixMax,
          requestMs: serveRequestMs,
          idleMs: serveRequestMs,
          headerBytesMax: requestHeaderBytesMax,
        });
        return bounded.server;
      },
      bodyLimit: serveBodyBytesMax,
      routerOptions: { maxParamLength: servePathParameterMax },
      logger: false,
    });
    if (bounded === undefined) throw new Error("fastify made no server");
    this.#server = bounded;
    readBodies(this.app);
    answerErrors(this.app, warn);
    endSlowResponses(this.app);
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#server.connections;
  }

  /** Adds routes, which get what they serve by argument. */
  register<Options>(routes: (app: FastifyInstance, options: Options) => void, options: Options): void {
    void this.app.register((app, _, done) => {
      routes(app, options);
      done();
    });
  }

  /**
   * Starts the server, and returns its URL: `http://host:port`.
   *
   * @throws SnapshotError `configuration` if it cannot listen there
   */
  async listen({ host, port }: Listen): Promise<string> {
    await this.app.ready();
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
    await this.app.close();
  }
}

/** Reads bodies of any type as text, within the bounds on all of them; a route parses its own. */
function readBodies(app: FastifyInstance): void {
  const bodies = new BodyBudget({
    bytesMax: serveBodiesBytesMax,
    bytesPerPrefixMax: serveBodiesBytesPerPrefixMax,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (request: FastifyRequest, payload: IncomingMessage) => {
    const body = await bodies.read(payload, request.routeOptions.bodyLimit);
    try {
      return body.bytes.toString("utf8");
    } finally {
      body.release();
    }
  });
}

function listenError(host: string, port: number, error: unknown): SnapshotError {
  const reason = systemCodeOf(error) === "EADDRINUSE" ? "another program listens there" : messageOf(error);
  return new SnapshotError("configuration", `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    hint: "Give another address or port with --listen.",
  });
}
