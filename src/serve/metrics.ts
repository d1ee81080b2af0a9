/** The metrics of a server, in the text format of Prometheus. Each server has a registry of its own. */

import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { SnapshotSet } from "./snapshot-set.ts";

export interface MeasuredServer {
  readonly app: FastifyInstance;
  readonly connections: number;
}

const prefix = "snapshot_assemble_";

export class ServerMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #bytes: Counter;
  /** Bytes that each connection has sent, up to its last response. */
  readonly #counted = new WeakMap<Socket, number>();

  constructor(snapshots: SnapshotSet) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: `${prefix}requests_total`,
      help: "Responses by route and status; aborted: the connection ended before the response.",
      labelNames: ["method", "route", "status"],
      registers,
    });
    this.#bytes = new Counter({
      name: `${prefix}sent_bytes_total`,
      help: "Bytes of responses that have ended, headers included.",
      registers,
    });
    this.#gauge("snapshot_info", "1 for a snapshot that is served, 0 for one that was changed on the disk.", {
      labelNames: ["name", "cycle", "network_hash", "digest"],
      collect: (gauge) => {
        for (const { summary, problem } of snapshots.all) {
          const { name, cycle, networkHash: network_hash, digest } = summary;
          gauge.set({ name, cycle, network_hash, digest }, problem === undefined ? 1 : 0);
        }
      },
    });
  }

  /** Counts the requests of a server. Call it before routes are added. */
  measure(server: MeasuredServer): void {
    this.#gauge("connections", "Open connections.", {
      labelNames: [],
      collect: (gauge) => gauge.set({}, server.connections),
    });
    server.app.addHook("onRequest", (request, { raw }, done) => {
      const { socket } = request.raw;
      // A response ends with its connection as well.
      raw.once("close", () => {
        const { method, routeOptions } = request;
        const status = raw.writableFinished ? String(raw.statusCode) : "aborted";
        this.#requests.inc({ method, route: routeOptions.url ?? "none", status });
        this.#countBytes(socket);
      });
      done();
    });
  }

  #countBytes(socket: Socket): void {
    const before = this.#counted.get(socket) ?? 0;
    this.#counted.set(socket, socket.bytesWritten);
    this.#bytes.inc(Math.max(0, socket.bytesWritten - before));
  }

  #gauge(
    name: string,
    help: string,
    { labelNames, collect }: { labelNames: string[]; collect: (gauge: Gauge) => void },
  ): void {
    const gauge: Gauge = new Gauge({
      ...{ name: `${prefix}${name}`, help, labelNames, registers: [this.registry] },
      collect: () => collect(gauge),
    });
  }
}
