/** The debug events of requests, against real servers. */

import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { onDebug } from "../../../src/events/debug-channel.ts";
import { HttpClient, type HttpRequest } from "../../../src/fetch/http/http-client.ts";
import type { HttpEndEvent, HttpStartEvent } from "../../../src/fetch/http/request-trace.ts";
import { lineCharactersMax } from "../../../src/limits/text.ts";
import { deadUrl, httpServer, tcpServer } from "../../helpers/servers.ts";

type HttpEvent = HttpStartEvent | HttpEndEvent;

/** Performs a request, and returns its two events. */
async function traceOf(request: HttpRequest, chunksMax = Number.POSITIVE_INFINITY, bytesMax?: number) {
  const events: HttpEvent[] = [];
  const stop = onDebug((event) => void events.push(event as HttpEvent));
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 5_000 });
  onTestFinished(() => client.close());
  try {
    if (bytesMax !== undefined) await client.whole(request, bytesMax);
    else {
      let chunks = 0;
      for await (const _ of client.stream(request)) if (++chunks >= chunksMax) break;
    }
  } catch {
    // The end event describes the failure.
  } finally {
    stop();
  }
  expect(events.map(({ type }) => type)).toEqual(["http.start", "http.end"]);
  const [start, end] = events as [HttpStartEvent, HttpEndEvent];
  expect(end.request).toBe(start.request);
  return { start, end };
}

describe("the trace of a request", () => {
  it("contains the method, the URL, the status, the bytes and the duration", async () => {
    const url = await httpServer((_, response) => void response.end("12345"));
    const { start, end } = await traceOf({ url: `${url}/full-nodelist?activeOnly=true` });
    expect(start).toMatchObject({ method: "GET", url: `${url}/full-nodelist?activeOnly=true` });
    expect(end).toMatchObject({ outcome: "complete", status: 200, bytes: 5, durationMs: expect.any(Number) });
    expect((await traceOf({ url, body: {} })).start.method).toBe("POST");
  });

  it("counts the bytes of a compressed body before decompression", async () => {
    const body = gzipSync("x".repeat(100_000));
    const url = await httpServer((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(body);
    });
    expect((await traceOf({ url })).end).toMatchObject({ outcome: "complete", bytes: body.length });
  });

  it("contains the status and the bytes of a rejection", async () => {
    const url = await httpServer((_, response) => void response.writeHead(503).end("busy"));
    expect((await traceOf({ url })).end).toMatchObject({ outcome: "status", status: 503, bytes: 4 });
  });

  it("contains the code of a connection that fails, and no status", async () => {
    const { end } = await traceOf({ url: await deadUrl() });
    expect(end).toMatchObject({ outcome: "unreachable", code: "ECONNREFUSED", bytes: 0 });
    expect(end.status).toBeUndefined();
  });

  it("contains the bytes that a reset response gave", async () => {
    const url = await tcpServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123"));
    });
    expect((await traceOf({ url })).end).toMatchObject({ outcome: "reset", status: 200, bytes: 3 });
  });

  it("names a body that crosses its bound", async () => {
    const url = await httpServer((_, response) => void response.end("12345"));
    const { end } = await traceOf({ url }, undefined, 4);
    expect(end).toMatchObject({ outcome: "too-large", status: 200, bytes: 5 });
  });

  it("states that the program stopped reading, or ended the request", async () => {
    const url = await httpServer((_, response) => void response.write("1"));
    expect((await traceOf({ url }, 1)).end).toMatchObject({ outcome: "abandoned", status: 200, bytes: 1 });
    const ending = new AbortController();
    const silent = await tcpServer((socket) => void once(socket, "data").then(() => ending.abort()));
    expect((await traceOf({ url: silent, signal: ending.signal })).end).toMatchObject({ outcome: "aborted" });
  });

  it.each([
    { id: "a password", begin: "http://user:s3cret@", rest: "/path", shown: "http://***@", path: "/path" },
    { id: "a token", begin: "http://", rest: "/path?s3cret=1", shown: "http://", path: "/path?***" },
    {
      id: "a token next to a query of this program",
      begin: "http://",
      rest: "/x?cycle=8&key=s3cret",
      shown: "http://",
      path: "/x?***",
    },
    {
      id: "terminal escapes",
      begin: "http://",
      rest: "/\u001b[31m\u009b2J",
      shown: "http://",
      path: "/%1B[31m%C2%9B2J",
    },
  ])("shows a URL without $id", async ({ begin, rest, shown, path }) => {
    const url = await httpServer((_, response) => void response.end());
    const { host } = new URL(url);
    const { start } = await traceOf({ url: `${begin}${host}${rest}` });
    expect(start.url).toBe(`${shown}${host}${path}`);
  });

  it("cuts the URL of an endless address", async () => {
    const url = await httpServer((_, response) => void response.end());
    const { start } = await traceOf({ url: `${url}/${"x".repeat(2 * lineCharactersMax)}` });
    expect(start.url.length).toBeLessThanOrEqual(lineCharactersMax + 1);
  });
});
