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
/** How much later than meant a busy machine may be. */
const latenessMs = 3_000;

function newClient(timeouts = { connectTimeoutMs, stallTimeoutMs }): HttpClient {
  const client = new HttpClient(timeouts);
  onTestFinished(() => client.close());
  return client;
}

async function failureOf(request: HttpRequest, client = newClient()) {
  const startMs = performance.now();
  let bytes = 0;
  try {
    for await (const chunk of client.stream(request)) bytes += chunk.length;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return { failure: error, bytes, tookMs: performance.now() - startMs };
  }
  throw new Error(`it did not fail, but answered ${bytes} bytes`);
}

/** A server that writes the same again and again once it was asked. */
function repeating(first: string, again: string, everyMs: number): Promise<string> {
  return tcpServer((socket) => {
    socket.once("data", () => {
      socket.write(first);
      const timer = setInterval(() => socket.write(again), everyMs);
      socket.on("close", () => clearInterval(timer));
    });
  });
}

/** Writes as fast as it is read, until nobody reads any more. */
function flood(socket: Socket, chunk: Buffer): void {
  const go = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", go);
  go();
}

describe("a head that does not come", () => {
  it.each(["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n"])(
    "is given up once the times to connect and to stall are over, however many interim answers there are: %j",
    async (interim) => {
      const url = await repeating(interim, interim, 20);
      const { failure, tookMs } = await failureOf({ url });
      expect(failure.kind).toBe("stalled");
      expect(failure.message).toContain("the head of the response");
      expect(tookMs).toBeGreaterThan(connectTimeoutMs + stallTimeoutMs - 50);
      expect(tookMs).toBeLessThan(connectTimeoutMs + stallTimeoutMs + latenessMs);
    },
    10_000,
  );

  it("is still taken after some interim answers", async () => {
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n");
        setTimeout(() => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 50);
      });
    });
    expect(String(await newClient().whole({ url }, 10))).toBe("hi");
  });

  it("has nothing to do with how long the body takes", async () => {
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

describe("gzip", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  /** Stored blocks of length 0, none of them the last. */
  const nothing = Buffer.alloc(65_535, Buffer.from([0, 0, 0, 0xff, 0xff]));

  it("that goes on and brings nothing is too large", async () => {
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
  }, 10_000);

  it("that has brought something, and then nothing any more, is too large as well", async () => {
    const said = Buffer.from([0, 2, 0, 0xfd, 0xff, ...Buffer.from("hi")]);
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(ok);
        socket.write(Buffer.concat([header, said]));
        flood(socket, nothing);
      });
    });
    const { failure, bytes } = await failureOf({ url });
    expect(failure.kind).toBe("too-large");
    expect(bytes).toBe(2);
  }, 10_000);

  it("of what cannot be compressed is read to its end, however slowly we take it", async () => {
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

  it("ends it as stalled, however lively its body is", async () => {
    const url = await repeating("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(2048), 10);
    const { failure, bytes, tookMs } = await failureOf({ url, deadlineMs });
    expect(failure.kind).toBe("stalled");
    expect(failure.message).toContain("the request took more than 0.25 s");
    expect(bytes).toBeGreaterThan(0);
    expect(tookMs).toBeGreaterThan(deadlineMs - 50);
    expect(tookMs).toBeLessThan(deadlineMs + latenessMs);
  }, 10_000);

  it("ends it as stalled before its head has come", async () => {
    const url = await tcpServer((socket) => void socket.resume());
    const patient = newClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
    const { failure } = await failureOf({ url, deadlineMs }, patient);
    expect(failure.kind).toBe("stalled");
    expect(failure.message).toContain("the request");
  }, 10_000);

  it("leaves alone what is over by then, and is not taken for our own end", async () => {
    const url = await httpServer((_, response) => response.end("done"));
    const client = newClient();
    expect(String(await client.whole({ url, deadlineMs: 5_000 }, 10))).toBe("done");
    const ended = await failureOf({ url, deadlineMs: 5_000, signal: AbortSignal.abort() }, client);
    expect(ended.failure.kind).toBe("aborted");
  });
});
