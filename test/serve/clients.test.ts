/** Bounds on clients: their connections, headers and responses, and clients that do not read or go away. */

import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import fastify from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { serveConnectionsPerPrefixMax, serveStateResponsesPerPrefixMax } from "../../src/limits/serve.ts";
import { endSlowResponses } from "../../src/serve/slow-clients.ts";
import { until } from "../helpers/until.ts";
import { largeAccount, postSnapshot, publishedSnapshot, startServer } from "./running-server.ts";

/** More than the buffers of a connection hold. */
const large = publishedSnapshot({ accounts: 200 }, "none", largeAccount);

/** Connects, and sends the text of a request. */
async function open(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const dataRequest = () => get(`/snapshot-data?timestamp=${large.timestamp}`);

/** Begins to read a response, and stops. */
async function openUnread(url: string, text: string): Promise<Socket> {
  const socket = await open(url, text);
  await once(socket, "readable");
  return socket;
}

/** The files of the snapshot that this process has open. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(join("/proc/self/fd", descriptor));
      return path.startsWith(large.directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe.runIf(process.platform === "linux")("a client that goes away", () => {
  it.each([
    { id: "accounts", path: () => `/snapshot-data?timestamp=${large.timestamp}` },
    { id: "a file", path: () => `/snapshots/${large.name}/partition-00000.json` },
  ])("in the middle of $id leaves no file open", async ({ path }) => {
    const { url } = await startServer([large.directory]);
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openUnread(url, get(path()))));
    expect(openFiles().length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await until(() => openFiles().length === 0);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/requests_total\{method="GET",route="[^"]*",status="aborted"\} 10/);
  });
});

describe("one client", () => {
  it(`can be sent ${serveStateResponsesPerPrefixMax} partial snapshots at once, and more when some have ended`, async () => {
    const { url } = await startServer([large.directory]);
    const unread = await Promise.all(
      Array.from({ length: serveStateResponsesPerPrefixMax }, () => openUnread(url, dataRequest())),
    );
    const refused = await postSnapshot(url, { timestamp: large.timestamp });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      error: expect.stringContaining("are being sent to 127.0.0.1"),
    });
    // Others are not held up.
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    for (const socket of unread) socket.destroy();
    let status = 429;
    while (status === 429) {
      const response = await postSnapshot(url, { timestamp: large.timestamp, isGlobal: true });
      status = response.status;
      await response.text();
    }
    expect(status).toBe(200);
  });

  it("has a bounded number of connections", async () => {
    const { url } = await startServer([large.directory]);
    const idle = serveConnectionsPerPrefixMax - 1;
    const sockets = await Promise.all(Array.from({ length: idle }, () => open(url, "")));
    await openUnread(url, get("/healthz"));
    const excess = await open(url, get("/healthz"));
    if (!excess.destroyed) await once(excess, "close");
    expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
  });

  it("is refused headers that are too long", async () => {
    const { url } = await startServer([large.directory]);
    const response = await fetch(`${url}/healthz`, { headers: { "x-long": "x".repeat(9_000) } });
    expect(response.status).toBe(431);
  });
});

describe("a client that does not read its response", () => {
  it("is disconnected, while one that reads is not", async () => {
    const app = fastify({ serverFactory: (handler) => createServer(handler) });
    endSlowResponses(app, 50);
    const piece = Buffer.alloc(64 * 1024);
    const ended = new Map<string, Promise<unknown>>();
    for (const path of ["/read", "/unread"]) {
      app.get(path, (_, reply) => {
        ended.set(path, once(reply.raw, "close"));
        const endless = new Readable({
          read() {
            this.push(piece);
          },
        });
        return reply.send(endless);
      });
    }
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    onTestFinished(async () => void (await app.close()));
    const read = (await openUnread(url, get("/read"))).resume();
    await openUnread(url, get("/unread"));
    const first = [...ended].map(async ([path, end]) => (await end) && path);
    expect(await Promise.race(first)).toBe("/unread");
    expect(read.destroyed).toBe(false);
    read.destroy();
  });
});
