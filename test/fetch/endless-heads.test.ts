import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { HttpClient, type HttpRequest } from "../../src/fetch/http/http-client.ts";
import { gzipIdleBytesMax } from "../../src/limits/http.ts";
import { httpServer, tcpServer } from "../helpers/servers.ts";

const connectTimeoutMs = 300;
const stallTimeoutMs = 400;

function newClient(timeouts = { connectTimeoutMs, stallTimeoutMs }): HttpClient {
  const client = new HttpClient(timeouts);
  onTestFinished(() => client.close());
  return client;
}

async function failureOf(request: HttpRequest, client = newClient()) {
  const startMs = performance.now();
  let bytes = 0;
  // A request that never fails has no bound but the timeout of the test: a busy machine may be late.
  try {
    for await (const chunk of client.stream(request)) bytes += chunk.length;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return { failure: error, bytes, tookMs: performance.now() - startMs };
  }
  throw new Error(`the request succeeded with ${bytes} bytes`);
}

/** A server that writes the same text repeatedly after a request. */
function repeating(first: string, again: string, everyMs: number): Promise<string> {
  return tcpServer((socket) => {
    socket.once("data", () => {
      socket.write(first);
      const timer = setInterval(() => socket.write(again), everyMs);
      socket.on("close", () => clearInterval(timer));
    });
  });
}

/** Writes as fast as the client reads, until the client disconnects. */
function flood(socket: Socket, chunk: Buffer): void {
  const go = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", go);
  go();
}

describe("the head of a response", () => {
  it.each(["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n"])(
    "stalls after the times to connect and to stall, whatever the number of interim responses: %j",
    async (interim) => {
      const url = await repeating(interim, interim, 20);
      const { failure, tookMs } = await failureOf({ url });
      expect(failure.kind).toBe("stalled");
      expect(failure.message).toContain("the head of the response");
      expect(tookMs).toBeGreaterThan(connectTimeoutMs + stallTimeoutMs - 50);
    },
  );

  it("is accepted after some interim responses", async () => {
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n");
        setTimeout(() => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 50);
      });
    });
    expect(String(await newClient().whole({ url }, 10))).toBe("hi");
  });

  it("has a timeout that does not apply to the body", async () => {
    const lines = 12;
    const url = await httpServer((_, response) => {
      let line = 0;
      const timer = setInterval(() => {
        if (++line <= lines) return response.write("x".repeat(1024));
        clearInterval(timer);
        return response.end();
      }, 100);
    });
    const startMs = performance.now();
    expect(await newClient().whole({ url }, 1024 * lines)).toHaveLength(1024 * lines);
    expect(performance.now() - startMs).toBeGreaterThan(connectTimeoutMs + stallTimeoutMs);
  });
});

describe("a gzip body", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  /** Stored blocks of length 0, none of them the last. */
  const nothing = Buffer.alloc(65_535, Buffer.from([0, 0, 0, 0xff, 0xff]));

  it("of endless empty blocks is too large", async () => {
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(ok);
        socket.write(header);
        flood(socket, nothing);
      });
    });
    let bytesIn = 0;
    const onBytes = (count: number) => {
      bytesIn += count;
    };
    const { failure, bytes } = await failureOf({ url, onBytes });
    expect(failure.kind).toBe("too-large");
    expect(bytes).toBe(0);
    expect(bytesIn).toBeGreaterThan(gzipIdleBytesMax);
    expect(bytesIn).toBeLessThan(2 * gzipIdleBytesMax);
  });

  it("of some content and endless empty blocks is too large", async () => {
    const content = Buffer.from([0, 2, 0, 0xfd, 0xff, ...Buffer.from("hi")]);
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(ok);
        socket.write(Buffer.concat([header, content]));
        flood(socket, nothing);
      });
    });
    const { failure, bytes } = await failureOf({ url });
    expect(failure.kind).toBe("too-large");
    expect(bytes).toBe(2);
  });

  it("of incompressible content is read to its end, however slow the reader is", async () => {
    const body = randomBytes(4 * gzipIdleBytesMax);
    const url = await httpServer((_, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync(body));
    });
    const chunks: Buffer[] = [];
    for await (const chunk of newClient({ connectTimeoutMs, stallTimeoutMs: 5_000 }).stream({ url })) {
      chunks.push(Buffer.from(chunk));
      for (let turn = 0; turn < 20; turn++) await setImmediate();
    }
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
  });
});

describe("the deadline of a request", () => {
  const deadlineMs = 250;

  it("fails it as stalled, however fast its body is", async () => {
    const url = await repeating("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(2048), 10);
    const { failure, bytes, tookMs } = await failureOf({ url, deadlineMs });
    expect(failure.kind).toBe("stalled");
    expect(failure.message).toContain("the request took more than 0.25 s");
    expect(bytes).toBeGreaterThan(0);
    expect(tookMs).toBeGreaterThan(deadlineMs - 50);
  });

  it("fails it as stalled before the head of its response", async () => {
    const url = await tcpServer((socket) => void socket.resume());
    const patient = newClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
    const { failure } = await failureOf({ url, deadlineMs }, patient);
    expect(failure.kind).toBe("stalled");
    expect(failure.message).toContain("the request");
  });

  it("does not affect a finished or an aborted request", async () => {
    const url = await httpServer((_, response) => response.end("done"));
    const client = newClient();
    expect(String(await client.whole({ url, deadlineMs: 5_000 }, 10))).toBe("done");
    const ended = await failureOf({ url, deadlineMs: 5_000, signal: AbortSignal.abort() }, client);
    expect(ended.failure.kind).toBe("aborted");
  });
});
