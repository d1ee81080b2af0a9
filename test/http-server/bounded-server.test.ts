/** Sockets of its own making: what a well-behaved HTTP client never sends. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { BodyError } from "../../src/http-server/body-error.ts";
import { BoundedServer, type RequestHandler } from "../../src/http-server/bounded-server.ts";
import { BodyBudget } from "../../src/http-server/request-body.ts";
import { bodyChunksMax, parsedBytesAtOnce, pipelinedRequestsMax } from "../../src/limits/http-server.ts";

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
const answers = async (socket: Socket) => {
  socket.write(get);
  return (await Promise.race([once(socket, "data"), once(socket, "close")])).toString();
};
const isEnded = async (socket: Socket) => {
  socket.resume();
  if (!socket.closed) await once(socket, "close");
  return socket.destroyed;
};

describe("connections", () => {
  it("of one address are bounded, and others still get in", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const three = [await open(), await open(), await open()];
    expect(await isEnded(await open())).toBe(true);
    for (const socket of [...three, await open("127.0.0.2")]) expect(await answers(socket)).toMatch(/here/);
  });

  it("make room where there are too many: whoever has most loses the oldest", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const [oldest] = [await open(), await open(), await open()];
    await open("127.0.0.2");
    expect(await answers(await open("127.0.0.3"))).toMatch(/here/);
    expect(await isEnded(oldest as Socket)).toBe(true);
  });

  it("end where too many requests are sent ahead of their responses", async () => {
    let handled = 0;
    const { open } = await serve(async () => void handled++);
    const socket = await open();
    socket.write(get.repeat(10 * pipelinedRequestsMax));
    expect(await isEnded(socket)).toBe(true);
    expect(handled).toBeLessThanOrEqual(pipelinedRequestsMax);
  });

  it("end without the rest of what they sent being parsed", async () => {
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

  it("carry as many requests one after the other as their client likes", async () => {
    const { open } = await serve(async (_, response) => void response.end("here"));
    const socket = await open();
    for (let sent = 0; sent < 3 * pipelinedRequestsMax; sent++) expect(await answers(socket)).toMatch(/here/);
  });
});

describe("bodies", () => {
  const head = "POST / HTTP/1.1\r\nHost: server\r\n";
  async function serveBodies(bytesMax = 1_000, bytesInAll = 20_000) {
    const bodies = new BodyBudget({ bytesMax: bytesInAll, bytesPerPrefixMax: bytesInAll - 4_096 });
    return await serve(async (request, response) => {
      try {
        const body = await bodies.read(request, bytesMax);
        response.end(`took ${body.length}`);
        body.release();
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        response.setHeader("Connection", "close").end(error.problem);
      }
    });
  }
  const ended = async (socket: Socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    await isEnded(socket);
    return text;
  };

  it("that come in chunks of a byte are refused, and a few such chunks are not", async () => {
    const { open } = await serveBodies(1_000_000);
    const chunked = `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const [few, many] = [await open(), await open()];
    few.write(`${chunked}${"1\r\nx\r\n".repeat(100)}0\r\n\r\n`);
    expect(await ended(few)).toMatch(/took 100$/m);
    many.write(chunked + "1\r\nx\r\n".repeat(bodyChunksMax + 1));
    expect(await ended(many)).toMatch(/fragmented/);
  });

  it("that are refused are kept no longer, however much of them still comes", async () => {
    const bodies = new BodyBudget({ bytesMax: 20_000, bytesPerPrefixMax: 20_000 });
    let request: IncomingMessage | undefined;
    const { open } = await serve(async (incoming) => {
      request = incoming;
      await bodies.read(incoming, 10_000).catch(() => undefined);
    });
    const socket = await open();
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    // First so much that it is refused, then what would be kept of it, then more than anybody waits for.
    const pieces = "1\r\nx\r\n".repeat(bodyChunksMax / 2);
    for (let sent = 0; sent < 3; sent++) {
      socket.write(pieces);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(request?.readableLength).toBe(0);
    socket.write(pieces.repeat(3));
    expect(await isEnded(socket)).toBe(true);
  });

  it("that are larger than they may be are refused, announced or not", async () => {
    const { open } = await serveBodies();
    const [announced, found] = [await open(), await open()];
    announced.write(`${head}Content-Length: 2000\r\n\r\n`);
    expect(await ended(announced)).toMatch(/too-large/);
    found.write(`${head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2_000)}\r\n`);
    expect(await ended(found)).toMatch(/too-large/);
  });

  it("that are never finished give way to those of others", async () => {
    const { open } = await serveBodies(12_000, 20_000);
    const slow = await open();
    slow.write(`${head}Content-Length: 12000\r\n\r\n${"x".repeat(11_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const other = await open("127.0.0.2");
    other.write(`${head}Content-Length: 10000\r\nConnection: close\r\n\r\n${"x".repeat(10_000)}`);
    expect(await ended(other)).toMatch(/took 10000/);
    expect(await ended(slow)).toMatch(/busy/);
  });
});
