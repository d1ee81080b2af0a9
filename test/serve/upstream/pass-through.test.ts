import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { passedBodyBytesMax } from "../../../src/limits/serve-archiver.ts";
import { SnapshotServer } from "../../../src/serve/snapshot-server.ts";
import { passThrough } from "../../../src/serve/upstream/pass-through.ts";
import { deadUrl, httpServer, tcpServer } from "../../helpers/servers.ts";

async function inFrontOf(upstream: string): Promise<string> {
  const server = new SnapshotServer(() => undefined);
  server.register(passThrough, { upstream });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close(0));
  return url;
}

async function inFrontOfHandler(handler: RequestListener): Promise<string> {
  return await inFrontOf(await httpServer(handler));
}

async function bodyOf(message: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
  "a request with the method %s reaches the archiver as it is, and so does the answer",
  async (method) => {
    const seen: unknown[] = [];
    const url = await inFrontOfHandler((request, response) => {
      void bodyOf(request).then((body) => {
        seen.push([request.method, request.url, request.headers["x-own"], body.toString("latin1")]);
        response.writeHead(418, { "x-answer": "a, b", "content-type": "text/x-own; charset=latin1" });
        response.end(Buffer.from([0, 255, 13, 10]));
      });
    });
    const path = "/a%2Fb/c?x=1&x=2&y=%20a+b&z";
    const body = method === "GET" ? null : Buffer.from([0, 1, 255, 34, 123]);
    const response = await fetch(`${url}${path}`, {
      method,
      body,
      headers: { "x-own": "ü", "content-type": "application/json" },
    });
    expect(seen).toEqual([[method, path, "ü", body === null ? "" : body.toString("latin1")]]);
    expect([response.status, response.headers.get("x-answer")]).toEqual([418, "a, b"]);
    expect(response.headers.get("content-type")).toBe("text/x-own; charset=latin1");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([0, 255, 13, 10]));
  },
);

test("a redirect is passed on, and not followed", async () => {
  const url = await inFrontOfHandler((_request, response) =>
    response.writeHead(302, { location: "/x" }).end(),
  );
  const response = await fetch(url, { redirect: "manual" });
  expect([response.status, response.headers.get("location")]).toEqual([302, "/x"]);
});

test("a compressed answer is passed on compressed", async () => {
  const url = await inFrontOfHandler((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end("not really");
  });
  const request = httpRequest(url, { headers: { "accept-encoding": "gzip" } }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect(response.headers["content-encoding"]).toBe("gzip");
  expect((await bodyOf(response)).toString()).toBe("not really");
});

test("an archiver that is down is reported with status 502", async () => {
  const response = await fetch(`${await inFrontOf(await deadUrl())}/nodelist`);
  expect([response.status, await response.json()]).toEqual([
    502,
    { statusCode: 502, error: "Bad Gateway", message: "the archiver behind this server cannot be reached" },
  ]);
});

test("an archiver that ends the connection is reported with status 502", async () => {
  const upstream = await tcpServer((socket) => socket.once("data", () => socket.destroy()));
  const response = await fetch(`${await inFrontOf(upstream)}/nodelist`, { method: "POST", body: "{}" });
  expect(response.status).toBe(502);
});

test.each(["declared", "streamed"])("a body that is too large is refused (%s)", async (kind) => {
  const url = await inFrontOfHandler((request, response) => {
    void bodyOf(request).then(
      () => response.end("taken"),
      () => undefined,
    );
  });
  const headers = kind === "declared" ? { "content-length": String(passedBodyBytesMax + 1) } : {};
  const request = httpRequest(url, { method: "POST", headers });
  request.on("error", () => undefined);
  const answered = once(request, "response");
  const piece = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent <= passedBodyBytesMax; sent += piece.length) request.write(piece);
  const [response] = (await answered) as [IncomingMessage];
  expect([response.statusCode, JSON.parse((await bodyOf(response)).toString())]).toEqual([
    413,
    { statusCode: 413, error: "Payload Too Large", message: "the body is too large" },
  ]);
  request.destroy();
});

test("paths that lead out of the archiver's own are refused", async () => {
  const seen: (string | undefined)[] = [];
  const handler: RequestListener = (request, response) => {
    seen.push(request.url);
    response.end();
  };
  const url = await inFrontOf(`${await httpServer(handler)}/archiver`);
  const request = httpRequest(url, { path: "/..%2f..%2fsecret/../../other" }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, seen]).toEqual([400, []]);
});
