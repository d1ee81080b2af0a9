/** Servers on loopback, which close when their test ends. */

import { once } from "node:events";
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Starts an HTTP server for the running test, and returns its URL. */
export async function httpServer(handler: RequestListener): Promise<string> {
  const server: HttpServer = createHttpServer(handler);
  const url = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return url;
}

/** Starts a TCP server for the running test, and returns its URL. */
export async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // Clients usually disconnect within the response of such a server.
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
 * The URL of a port without a listener: that of the discard service, which only root could start. Any other port may
 * belong to another test.
 */
export function deadUrl(): Promise<string> {
  return Promise.resolve("http://127.0.0.1:9");
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
