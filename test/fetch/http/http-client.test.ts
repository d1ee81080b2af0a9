import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { FetchError } from "../../../src/errors/fetch-error.ts";
import { HttpClient, type HttpRequest } from "../../../src/fetch/http/http-client.ts";
import { errorBodyBytesMax, gzipRatioFromBytes, gzipRatioMax } from "../../../src/limits/http.ts";
import { deadUrl, httpServer, tcpServer } from "../../helpers/servers.ts";
import { faultOfMessage, hostileText } from "../../wire/hostile-text.ts";

const stallTimeoutMs = 400;

function newClient(): HttpClient {
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs });
  onTestFinished(() => client.close());
  return client;
}

async function bodyOf(request: HttpRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of newClient().stream(request)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Returns the failure of a request, and the bytes received before it. */
async function failureOf(request: HttpRequest): Promise<{ failure: FetchError; received: string }> {
  let received = "";
  try {
    for await (const chunk of newClient().stream(request)) received += chunk.toString("latin1");
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    expect(faultOfMessage(error.message)).toBeUndefined();
    return { failure: error, received };
  }
  throw new Error(`the request succeeded with ${received.slice(0, 100)}`);
}

/** Returns the failure of a request to a server that writes to its socket when the request arrives. */
async function failureOfSocket(onRequest: (socket: Socket) => void) {
  const url = await tcpServer((socket) => void socket.once("data", () => onRequest(socket)));
  return failureOf({ url });
}

const ok = (headers: string) => `HTTP/1.1 200 OK\r\n${headers}\r\n`;

describe("a request", () => {
  it("is a POST of JSON with a body, and a GET without one", async () => {
    const url = await httpServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += String(chunk);
      });
      request.on("end", () => {
        const { method, headers, url: path } = request;
        const { "content-type": type, accept } = headers;
        response.end(
          JSON.stringify({ method, path, type, accept, encoding: headers["accept-encoding"], text }),
        );
      });
    });
    const read = async (request: HttpRequest) => JSON.parse((await bodyOf(request)).toString()) as unknown;
    expect(await read({ url: `${url}/snapshot`, body: { timestamp: 1 } })).toEqual({
      method: "POST",
      path: "/snapshot",
      type: "application/json",
      accept: "application/json",
      encoding: expect.stringContaining("gzip"),
      text: '{"timestamp":1}',
    });
    expect(await read({ url: `${url}/x?cycle=1` })).toMatchObject({
      method: "GET",
      path: "/x?cycle=1",
      text: "",
    });
  });

  it("returns its whole response up to a bound", async () => {
    const url = await httpServer((_, response) => response.end("x".repeat(1000)));
    const client = newClient();
    expect((await client.whole({ url }, 1000)).toString()).toBe("x".repeat(1000));
    await expect(client.whole({ url }, 999)).rejects.toMatchObject({
      kind: "too-large",
      message: "the response has more than 999 bytes",
    });
  });

  it("reports the bytes received over the wire", async () => {
    const compressed = gzipSync(Buffer.alloc(100_000, "abc"));
    const url = await httpServer((_, response) =>
      response.setHeader("content-encoding", "gzip").end(compressed),
    );
    let bytes = 0;
    const onBytes = (count: number) => {
      bytes += count;
    };
    expect(await bodyOf({ url, onBytes })).toHaveLength(100_000);
    expect(bytes).toBe(compressed.length);
  });

  it("closes the connection when its response is left early", async () => {
    const ended = deferred();
    const url = await httpServer((_, response) => {
      response.on("close", () => ended.resolve());
      const write = () => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", write);
      };
      write();
    });
    for await (const chunk of newClient().stream({ url })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await ended.promise;
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe("a node that refuses connections", () => {
  it("is unreachable", async () => {
    const { failure } = await failureOf({ url: await deadUrl() });
    expect(failure.kind).toBe("unreachable");
    expect(failure.message).toContain("ECONNREFUSED");
  });
});

describe("a slow node", () => {
  it("stalls if it sends no response", async () => {
    const { failure } = await failureOfSocket(() => undefined);
    expect(failure.kind).toBe("stalled");
  });

  it("stalls if it sends only headers", async () => {
    const { failure } = await failureOfSocket((socket) => socket.write(ok("Content-Length: 10\r\n")));
    expect(failure.kind).toBe("stalled");
  });

  it("stalls within a body, whose beginning is received", async () => {
    const { failure, received } = await failureOfSocket((socket) =>
      socket.write(`${ok("Content-Length: 10\r\n")}12345`),
    );
    expect(failure.kind).toBe("stalled");
    expect(received).toBe("12345");
  });

  it("stalls if it sends too few bytes per second", async () => {
    const { failure, received } = await failureOfSocket((socket) => {
      socket.write(ok("Content-Length: 1000000\r\n"));
      const timer = setInterval(() => socket.write("."), 40);
      socket.on("close", () => clearInterval(timer));
    });
    expect(failure.kind).toBe("stalled");
    expect(failure.message).toMatch(/^only \d+ bytes in/);
    expect(received).toMatch(/^\.+$/);
  });

  it("does not stall if it sends enough bytes per second, however long it takes", async () => {
    const url = await httpServer(async (_, response) => {
      for (let part = 0; part < 12; part++) {
        response.write("x".repeat(500));
        await sleep(stallTimeoutMs / 6);
      }
      response.end();
    });
    expect(await bodyOf({ url })).toHaveLength(6000);
  });

  it("does not stall because of a slow reader", async () => {
    const url = await httpServer((_, response) => response.end("x".repeat(1_000_000)));
    let bytes = 0;
    for await (const chunk of newClient().stream({ url })) {
      if (bytes === 0) await sleep(2 * stallTimeoutMs);
      bytes += chunk.length;
    }
    expect(bytes).toBe(1_000_000);
  });
});

describe("a broken connection", () => {
  it.each([
    { id: "before the response", act: (socket: Socket) => socket.destroy() },
    { id: "by a reset", act: (socket: Socket) => socket.resetAndDestroy() },
    { id: "within the headers", act: (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le") },
    {
      id: "within a body of known length",
      act: (socket: Socket) => socket.end(`${ok("Content-Length: 10\r\n")}12345`),
    },
    {
      id: "within a chunked body",
      act: (socket: Socket) => socket.end(`${ok("Transfer-Encoding: chunked\r\n")}5\r\n12345\r\n`),
    },
    {
      id: "within a chunk",
      act: (socket: Socket) => socket.end(`${ok("Transfer-Encoding: chunked\r\n")}ff\r\n12345`),
    },
  ])("$id is a reset", async ({ act }) => {
    expect((await failureOfSocket(act)).failure.kind).toBe("reset");
  });

  it("yields the bytes received before a reset", async () => {
    const { failure, received } = await failureOfSocket(async (socket) => {
      socket.write(`${ok("Content-Length: 10\r\n")}12345`);
      await sleep(100);
      socket.resetAndDestroy();
    });
    expect(failure.kind).toBe("reset");
    expect(received).toBe("12345");
  });
});

describe("an invalid response", () => {
  it.each([
    { id: "another protocol", text: "SSH-2.0-OpenSSH_9.6\r\n" },
    { id: "bytes", text: "\u0000\u0001\u0002\r\n\r\n" },
    { id: "a bad length", text: "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" },
    { id: "a chunk without a length", text: `${ok("Transfer-Encoding: chunked\r\n")}zz\r\n` },
  ])("with $id is not valid HTTP", async ({ text }) => {
    expect((await failureOfSocket((socket) => void socket.write(text))).failure.kind).toBe("not-http");
  });

  it("with endless headers is too large", async () => {
    const { failure } = await failureOfSocket((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      let number = 0;
      const write = () => {
        if (socket.destroyed) return;
        while (socket.write(`X-${number++}: ${"x".repeat(1000)}\r\n`));
        socket.once("drain", write);
      };
      write();
    });
    expect(failure.kind).toBe("too-large");
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("with status %i is not followed", async (status) => {
    const requested: (string | undefined)[] = [];
    const url = await httpServer((request, response) => {
      requested.push(request.url);
      response.writeHead(request.url === "/" ? status : 200, { Location: "/elsewhere" }).end();
    });
    const { failure } = await failureOf({ url });
    expect(failure).toMatchObject({ kind: "redirect", status });
    expect(failure.message).toContain("/elsewhere");
    expect(requested).toEqual(["/"]);
  });
});

function gzipServer(body: Buffer, encoding = "gzip"): Promise<string> {
  return httpServer((_, response) => response.setHeader("Content-Encoding", encoding).end(body));
}

describe("a compressed response", () => {
  const text = Buffer.from(JSON.stringify({ snapshot: [{ a: randomBytes(50_000).toString("hex") }] }));

  it.each([{ encoding: "gzip" }, { encoding: "x-gzip" }, { encoding: "GZIP" }])(
    "with encoding $encoding is decompressed",
    async ({ encoding }) => {
      expect((await bodyOf({ url: await gzipServer(gzipSync(text), encoding) })).equals(text)).toBe(true);
    },
  );

  it("may have the encoding identity", async () => {
    expect((await bodyOf({ url: await gzipServer(text, "identity") })).equals(text)).toBe(true);
  });

  it("may be empty", async () => {
    expect(await bodyOf({ url: await gzipServer(gzipSync("")) })).toHaveLength(0);
  });

  it("may have several gzip members", async () => {
    const twice = Buffer.concat([gzipSync("one"), gzipSync("two")]);
    expect((await bodyOf({ url: await gzipServer(twice) })).toString()).toBe("onetwo");
  });

  it("that is truncated fails as a reset, after the bytes that could be decompressed", async () => {
    const { failure, received } = await failureOf({
      url: await gzipServer(gzipSync(text).subarray(0, -1000)),
    });
    expect(failure.kind).toBe("reset");
    expect(text.toString("latin1").startsWith(received.slice(0, 1000))).toBe(true);
    expect(received.length).toBeGreaterThan(0);
  });

  it.each([
    { id: "not gzip", body: Buffer.from("this is plain text") },
    { id: "gzip with a byte changed", body: withByteChanged(gzipSync(text), 30_000) },
    { id: "gzip with a wrong checksum", body: withByteChanged(gzipSync(text), gzipSync(text).length - 6) },
  ])("that is $id is not valid HTTP", async ({ body }) => {
    expect((await failureOf({ url: await gzipServer(body) })).failure.kind).toBe("not-http");
  });

  it.each(["br", "deflate", "zstd", "gzip, gzip", hostileText.replace(/[^ -~]/g, "").slice(0, 500)])(
    "with another encoding is not valid HTTP: %s",
    async (encoding) => {
      const { failure } = await failureOf({ url: await gzipServer(text, encoding) });
      expect(failure.kind).toBe("not-http");
      expect(failure.message).toContain("which was not requested");
    },
  );

  it("with too high a ratio is too large, long before its end", async () => {
    const bomb = gzipSync(Buffer.alloc(8 * gzipRatioFromBytes));
    const { failure, received } = await failureOf({ url: await gzipServer(bomb) });
    expect(failure.kind).toBe("too-large");
    expect(failure.message).toContain(`more than ${gzipRatioMax} for one`);
    expect(received.length).toBeLessThan(2 * gzipRatioFromBytes);
  });

  it("may have a high ratio while it is small", async () => {
    const small = gzipSync(Buffer.alloc(gzipRatioFromBytes));
    expect(await bodyOf({ url: await gzipServer(small) })).toHaveLength(gzipRatioFromBytes);
  });
});

function withByteChanged(bytes: Buffer, place: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(place) ^ 0xff, place);
  return changed;
}

describe("a response with another status than 200", () => {
  const failureOfStatus = async (status: number, body: string, headers: Record<string, string> = {}) => {
    const url = await httpServer((_, response) => response.writeHead(status, headers).end(body));
    return (await failureOf({ url })).failure;
  };

  it.each([204, 400, 404, 425, 429, 500, 503])("fails with its status %i", async (status) => {
    expect(await failureOfStatus(status, "")).toMatchObject({
      kind: "status",
      status,
      message: `status ${status}`,
    });
  });

  it.each([
    {
      id: "an error",
      body: '{"error":"this snapshot was dropped"}',
      message: "status 404: this snapshot was dropped",
    },
    { id: "text", body: "Not Found", message: "status 404: Not Found" },
    { id: "other JSON", body: '{"code":7}', message: 'status 404: {"code":7}' },
    { id: "an error that is not text", body: '{"error":{"a":1}}', message: 'status 404: {"error":{"a":1}}' },
  ])("shows $id in its body", async ({ body, message }) => {
    expect((await failureOfStatus(404, body)).message).toBe(message);
  });

  it("has its hostile text shortened and stripped of control characters", async () => {
    const failure = await failureOfStatus(503, JSON.stringify({ error: hostileText }));
    expect(failure.message).toMatch(/^status 503: .*evil evil/);
    expect(faultOfMessage(failure.message)).toBeUndefined();
  });

  it("has no more of its endless body read than is shown", async () => {
    let sent = 0;
    const url = await httpServer((_, response) => {
      response.writeHead(500);
      const write = () => {
        for (let more = true; more && !response.destroyed; sent += 16_384)
          more = response.write("x".repeat(16_384));
        response.once("drain", write);
      };
      write();
    });
    const { failure } = await failureOf({ url });
    expect(failure).toMatchObject({ kind: "status", status: 500 });
    expect(sent).toBeLessThan(2000 * errorBodyBytesMax);
  });

  it("fails with its status even if its body stalls or breaks off", async () => {
    for (const act of [() => undefined, (socket: Socket) => void socket.destroySoon()]) {
      const { failure } = await failureOfSocket((socket) => {
        socket.write('HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n{"err');
        act(socket);
      });
      expect(failure).toMatchObject({ kind: "status", status: 503, retryAfterMs: 7000 });
    }
  });

  it.each([
    { header: "0", retryAfterMs: 0 },
    { header: "7", retryAfterMs: 7000 },
    { header: "86400", retryAfterMs: 86_400_000 },
    { header: "soon", retryAfterMs: undefined },
    { header: "-5", retryAfterMs: expect.toSatisfy((ms: unknown) => ms === undefined || ms === 0) },
    { header: "Wed, 21 Oct 2015 07:28:00 GMT", retryAfterMs: 0 },
  ])("has its Retry-After parsed: $header", async ({ header, retryAfterMs }) => {
    expect(await failureOfStatus(503, "", { "Retry-After": header })).toMatchObject({
      kind: "status",
      status: 503,
    });
    expect((await failureOfStatus(503, "", { "Retry-After": header })).retryAfterMs).toEqual(retryAfterMs);
  });

  it("has the date of its Retry-After parsed", async () => {
    const inTwoHours = new Date(Date.now() + 7_200_000).toUTCString();
    const { retryAfterMs = 0 } = await failureOfStatus(429, "", { "Retry-After": inTwoHours });
    expect(retryAfterMs).toBeGreaterThan(7_100_000);
    expect(retryAfterMs).toBeLessThanOrEqual(7_200_000);
  });
});

describe("an aborted request", () => {
  it("fails as aborted before it is sent", async () => {
    const url = await httpServer((_, response) => response.end("x"));
    expect((await failureOf({ url, signal: AbortSignal.abort() })).failure.kind).toBe("aborted");
  });

  it.each([
    { id: "before the response", beginning: "" },
    { id: "within the response", beginning: `${ok("Content-Length: 10\r\n")}12345` },
  ])("fails as aborted $id, and its connection is closed", async ({ beginning }) => {
    const ending = new AbortController();
    const closed = deferred();
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(beginning);
        setTimeout(() => ending.abort(), 50);
      });
      void once(socket, "close").then(() => closed.resolve());
    });
    const { failure } = await failureOf({ url, signal: ending.signal });
    expect(failure.kind).toBe("aborted");
    await closed.promise;
  });
});

it.each([
  { id: "with a length", head: "Content-Length: 400000\r\n" },
  { id: "without a length", head: "" },
])(
  "a response $id that ends with its connection is received whole, however slow its reader is",
  async ({ head }) => {
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n${head}\r\n`);
        socket.end(Buffer.alloc(400_000, " "));
      });
    });
    let received = 0;
    for await (const chunk of newClient().streamInPlace({ url })) {
      received += chunk.length;
      await sleep(10);
    }
    expect(received).toBe(400_000);
  },
);
