/** Tests with raw sockets, which send what no well-behaved HTTP client sends. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { BodyError } from "../../src/http-server/body-error.ts";
import { BoundedServer, type RequestHandler } from "../../src/http-server/bounded-server.ts";
import { BodyBudget } from "../../src/http-server/request-body.ts";
import { bodyChunksMax, parsedBytesAtOnce, pipelinedRequestsMax } from "../../src/limits/http-server.ts";
import { until } from "../helpers/until.ts";

const bounds = { connectionsMax: 4, connectionsPerPrefixMax: 3, requestMs: 10_000, headerBytesMax: 8_192 };

async function serve(handler: RequestHandler) {
  const server = new BoundedServer(handler, bounds);
  const { port } = await server.listen("127.0.0.1", 0);
  onTestFinished(() => server.close(0));
  const open = async (from = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ host: "127.0.0.1", port, localAddress: from });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };
  return { open };
}

const get = "GET / HTTP/1.1\r\nHost: server\r\n\r\n";
/** The beginning of a response, or an empty text if the connection closes. Leaves no listener behind. */
const responseTo = (socket: Socket) =>
  new Promise<string>((resolve) => {
    const settle = (chunk: unknown) => {
      socket.off("data", settle).off("close", settle);
      resolve(Buffer.isBuffer(chunk) ? String(chunk) : "");
    };
    socket.on("data", settle).on("close", settle).write(get);
  });
const listenersOf = (socket: Socket) =>
  ["data", "close", "error"].map((event) => socket.listenerCount(event));
const isEnded = async (socket: Socket) => {
  socket.resume();
  if (!socket.closed) await once(socket, "close");
  return socket.destroyed;
};

describe("connections", () => {
  it("from one address are bounded, and those from others are accepted", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const three = [await open(), await open(), await open()];
    expect(await isEnded(await open())).toBe(true);
    for (const socket of [...three, await open("127.0.0.2")])
      expect(await responseTo(socket)).toMatch(/here/);
  });

  it("beyond the total bound replace the oldest one of the address with the most", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const [oldest] = [await open(), await open(), await open()];
    await open("127.0.0.2");
    expect(await responseTo(await open("127.0.0.3"))).toMatch(/here/);
    expect(await isEnded(oldest as Socket)).toBe(true);
  });

  it("are closed after too many requests without a response", async () => {
    let handled = 0;
    const { open } = await serve(async () => void handled++);
    const socket = await open();
    socket.write(get.repeat(10 * pipelinedRequestsMax));
    expect(await isEnded(socket)).toBe(true);
    expect(handled).toBeLessThanOrEqual(pipelinedRequestsMax);
  });

  it("are closed before the rest of their requests is parsed", async () => {
    let made = 0;
    const counted = (): void => void made++;
    subscribe("http.server.request.start", counted);
    onTestFinished(() => void unsubscribe("http.server.request.start", counted));
    const { open } = await serve(async () => undefined);
    const socket = await open();
    socket.write(get.repeat(2_000));
    expect(await isEnded(socket)).toBe(true);
    expect(made).toBeLessThanOrEqual(pipelinedRequestsMax + parsedBytesAtOnce / get.length + 1);
  });

  it("carry any number of consecutive requests", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const socket = await open();
    const before = listenersOf(socket);
    for (let sent = 0; sent < 3 * pipelinedRequestsMax; sent++)
      expect(await responseTo(socket)).toMatch(/here/);
    expect(listenersOf(socket)).toEqual(before);
  });
});

describe("request bodies", () => {
  const head = "POST / HTTP/1.1\r\nHost: server\r\n";
  async function serveBodies(bytesMax = 1_000, bytesInAll = 20_000) {
    const bodies = new BodyBudget({ bytesMax: bytesInAll, bytesPerPrefixMax: bytesInAll - 4_096 });
    const requests: IncomingMessage[] = [];
    const { open } = await serve(async (request, response) => {
      requests.push(request);
      try {
        const body = await bodies.read(request, bytesMax);
        response.end(`took ${body.length}`);
        body.release();
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        response.setHeader("Connection", "close").end(error.problem);
      }
    });
    return { open, requests };
  }
  const ended = async (socket: Socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    await isEnded(socket);
    return text;
  };

  it("in many chunks of one byte are rejected, and those in a few such chunks accepted", async () => {
    const { open } = await serveBodies(1_000_000);
    const chunked = `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const [few, many] = [await open(), await open()];
    few.write(`${chunked}${"1\r\nx\r\n".repeat(100)}0\r\n\r\n`);
    expect(await ended(few)).toMatch(/took 100$/m);
    many.write(chunked + "1\r\nx\r\n".repeat(bodyChunksMax + 1));
    expect(await ended(many)).toMatch(/fragmented/);
  });

  it("that were rejected are not kept, however much of them still arrives", async () => {
    const bodies = new BodyBudget({ bytesMax: 20_000, bytesPerPrefixMax: 20_000 });
    let request: IncomingMessage | undefined;
    const { open } = await serve(async (incoming) => {
      request = incoming;
      await bodies.read(incoming, 10_000).catch(() => undefined);
    });
    const socket = await open();
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    // First enough to be rejected, then chunks that must not be kept, then more than the server waits for.
    const pieces = "1\r\nx\r\n".repeat(bodyChunksMax / 2);
    for (let sent = 0; sent < 3; sent++) {
      socket.write(pieces);
      await until(() => request?.socket.bytesRead === socket.bytesWritten);
    }
    expect(request?.readableLength).toBe(0);
    socket.write(pieces.repeat(3));
    expect(await isEnded(socket)).toBe(true);
  });

  it("that are too large are rejected, with an announced length or without", async () => {
    const { open } = await serveBodies();
    const [announced, found] = [await open(), await open()];
    announced.write(`${head}Content-Length: 2000\r\n\r\n`);
    expect(await ended(announced)).toMatch(/too-large/);
    found.write(`${head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2_000)}\r\n`);
    expect(await ended(found)).toMatch(/too-large/);
  });

  it("that do not finish are dropped for those of others", async () => {
    const { open, requests } = await serveBodies(12_000, 20_000);
    const slow = await open();
    slow.write(`${head}Content-Length: 12000\r\n\r\n${"x".repeat(11_000)}`);
    await until(() => requests[0]?.socket.bytesRead === slow.bytesWritten);
    const other = await open("127.0.0.2");
    other.write(`${head}Content-Length: 10000\r\nConnection: close\r\n\r\n${"x".repeat(10_000)}`);
    expect(await ended(other)).toMatch(/took 10000/);
    expect(await ended(slow)).toMatch(/busy/);
  });
});
