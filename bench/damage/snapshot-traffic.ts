/** Counts the requests for accounts that the servers of this process receive, and the bytes of their responses. */

import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ClusterDescription } from "../../dist/testnet/cluster/cluster.js";

export interface Traffic {
  readonly requests: number;
  readonly bytes: number;
}

interface ServerMessage {
  readonly request: IncomingMessage;
  readonly socket: Socket;
}

export class SnapshotTraffic {
  readonly #byPort = new Map<number, { requests: number; bytes: number }>();
  /** Request → the bytes that its socket had sent before. */
  readonly #sentBefore = new WeakMap<IncomingMessage, number>();

  constructor() {
    // Node declares the message of a channel as unknown; its documentation lists the fields.
    subscribe("http.server.request.start", (message) => this.#onStart(message as ServerMessage));
    subscribe("http.server.response.finish", (message) => this.#onFinish(message as ServerMessage));
  }

  /** Returns the traffic of a cluster so far. */
  of({ nodes }: Pick<ClusterDescription, "nodes">): Traffic {
    let [requests, bytes] = [0, 0];
    for (const { url } of nodes) {
      const count = this.#byPort.get(Number(new URL(url).port));
      requests += count?.requests ?? 0;
      bytes += count?.bytes ?? 0;
    }
    return { requests, bytes };
  }

  #onStart({ request, socket }: ServerMessage): void {
    if (request.method !== "POST" || request.url?.startsWith("/snapshot") !== true) return;
    this.#sentBefore.set(request, socket.bytesWritten);
    this.#countOf(socket.localPort).requests++;
  }

  #onFinish({ request, socket }: ServerMessage): void {
    const before = this.#sentBefore.get(request);
    if (before === undefined) return;
    this.#countOf(socket.localPort ?? request.socket.localPort).bytes += socket.bytesWritten - before;
  }

  #countOf(port = 0): { requests: number; bytes: number } {
    const count = this.#byPort.get(port) ?? { requests: 0, bytes: 0 };
    this.#byPort.set(port, count);
    return count;
  }
}
