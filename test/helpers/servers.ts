/** Real servers on loopback, one for a test, which end with it. */

import { once } from "node:events";
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** An HTTP server for the running test; answers its URL. */
export async function httpServer(handler: RequestListener): Promise<string> {
  const server: HttpServer = createHttpServer(handler);
  const url = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return url;
}

/** A server that does with its sockets what it likes, for the running test; answers its URL. */
export async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // A client that goes away is the usual end of such a server's answer.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    onSocket(socket);
  });
  const url = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return url;
}

/**
 * The URL of a port that nobody listens on: the discard service, which only root could start. A port that was free a
 * moment ago may be another test's by now.
 */
export function deadUrl(): Promise<string> {
  return Promise.resolve("http://127.0.0.1:9");
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
