/** Sends prepared requests over plain sockets, so that the cost of sending does not count. */

import { connect } from "node:net";

const connections = 16;
/** Pipelined requests of one connection. */
const pipelined = 16;

/** A request as bytes. */
export type FloodRequest = Buffer;

export interface FloodSettings {
  readonly url: string;
  readonly requests: readonly FloodRequest[];
  readonly localAddress: string;
  /** Ends the flood. */
  readonly signal: AbortSignal;
}

export function post(body: string): FloodRequest {
  const head = `POST /partition-gossip HTTP/1.1\r\nHost: collector\r\nContent-Length: ${Buffer.byteLength(body)}`;
  return Buffer.from(`${head}\r\n\r\n${body}`);
}

/** Returns, for each connection, the number of its responses. */
export function flood(settings: FloodSettings): Promise<number>[] {
  return Array.from({ length: connections }, (_, number) => floodConnection(settings, number));
}

function floodConnection(
  { url, requests, localAddress, signal }: FloodSettings,
  first: number,
): Promise<number> {
  const { hostname, port } = new URL(url);
  let next = first;
  let responses = 0;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    const send = () => socket.write(requests[next++ % requests.length] ?? "");
    socket.on("connect", () => {
      for (let i = 0; i < pipelined; i++) send();
    });
    socket.on("data", (chunk) => {
      for (let at = chunk.indexOf("HTTP/1.1 "); at >= 0; at = chunk.indexOf("HTTP/1.1 ", at + 9)) {
        responses++;
        if (signal.aborted) socket.destroy();
        else send();
      }
    });
    socket.on("error", reject).on("close", () => resolve(responses));
  });
}
