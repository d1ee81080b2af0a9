/** A server whose responses make an HTTP library fail. Each request ends with a failure of that server. */

import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { tcpServer } from "../helpers/servers.ts";

function newClient(): HttpClient {
  const client = new HttpClient({ connectTimeoutMs: 1_000, stallTimeoutMs: 400 });
  onTestFinished(() => client.close());
  return client;
}

/** Returns the failure of a request, for each kind of request. */
const requests = {
  "a GET, read whole": (client: HttpClient, url: string) => client.whole({ url }, 1_000_000),
  "a POST, read in place": async (client: HttpClient, url: string) => {
    for await (const _chunk of client.streamInPlace({ url, body: { timestamp: 1 } })) await sleep(1);
  },
} as const;

async function outcomeOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return "body";
  } catch (error) {
    if (error instanceof FetchError) return error.kind;
    throw error;
  }
}

const serving = (bytes: string | Buffer, end: (socket: Socket) => void = (socket) => void socket.end()) =>
  tcpServer((socket) => {
    socket.once("data", () => socket.write(bytes, "latin1", () => end(socket)));
  });

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const stayOpen = () => undefined;

const cases: readonly { id: string; bytes: string | Buffer; kinds: readonly string[] }[] = [
  ...["101 Switching Protocols", "000", "000 X", "001", "042 Z", "099", "099 Y", "0200 OK"].map((status) => ({
    id: `status ${status}`,
    bytes: `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`,
    kinds: ["not-http", "reset", "stalled", "status"],
  })),
  { id: "status 999", bytes: "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", kinds: ["status"] },
  { id: "status 1000", bytes: "HTTP/1.1 1000 X\r\n\r\n", kinds: ["not-http", "status"] },
  { id: "a negative status", bytes: "HTTP/1.1 -20 X\r\n\r\n", kinds: ["not-http"] },
  { id: "no status", bytes: "HTTP/1.1 \r\n\r\n", kinds: ["not-http"] },
  {
    id: "an upgrade that was not requested",
    bytes: "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\njunk",
    kinds: ["not-http", "reset"],
  },
  {
    id: "a body under a status below 100",
    bytes: "HTTP/1.1 099 X\r\nContent-Length: 5\r\n\r\nhello",
    kinds: ["not-http", "reset"],
  },
  {
    id: "a body under a status below 100 that ends with the connection",
    bytes: "HTTP/1.1 042 X\r\nConnection: close\r\n\r\nhello",
    kinds: ["not-http", "reset"],
  },
  {
    id: "a status below 100 after an interim response",
    bytes: "HTTP/1.1 103 A\r\n\r\nHTTP/1.1 050 B\r\nConnection: close\r\n\r\n",
    kinds: ["not-http", "reset"],
  },
  { id: "a storm of 100 Continue", bytes: "HTTP/1.1 100 C\r\n\r\n".repeat(5_000), kinds: ["reset"] },
  {
    id: "interim responses with a length",
    bytes: `HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\nhello${ok}Content-Length: 0\r\n\r\n`,
    kinds: ["not-http", "reset"],
  },
  { id: "a NUL in a header", bytes: `${ok}X: a\0b\r\n\r\n`, kinds: ["not-http"] },
  { id: "a negative length", bytes: `${ok}Content-Length: -1\r\n\r\n`, kinds: ["not-http"] },
  {
    id: "a huge length",
    bytes: `${ok}Content-Length: ${"9".repeat(60)}\r\n\r\n`,
    kinds: ["not-http", "reset"],
  },
  {
    id: "two lengths",
    bytes: `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    kinds: ["not-http", "reset"],
  },
  {
    id: "a length and chunks",
    bytes: `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    kinds: ["not-http", "reset"],
  },
  { id: "a body that ends in a chunk", bytes: `${chunked}5\r\nhel`, kinds: ["reset", "not-http"] },
  { id: "a chunk of negative size", bytes: `${chunked}-5\r\nhello\r\n`, kinds: ["not-http"] },
  { id: "a chunk of endless size", bytes: `${chunked}${"f".repeat(40)}\r\nx`, kinds: ["not-http"] },
  {
    id: "a megabyte of chunk extensions",
    bytes: `${chunked}5;${"e".repeat(1_000_000)}\r\nhello\r\n`,
    kinds: ["not-http", "reset", "too-large"],
  },
  {
    id: "trailers without end",
    bytes: `${chunked}0\r\n${"T: x\r\n".repeat(20_000)}`,
    kinds: ["too-large", "reset"],
  },
  { id: "HTTP/0.9", bytes: "<html>hello</html>", kinds: ["not-http", "reset"] },
  { id: "the preface of HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kinds: ["not-http"] },
  { id: "TLS", bytes: Buffer.from("16030102000100010203", "hex"), kinds: ["not-http"] },
  { id: "nothing", bytes: "", kinds: ["reset"] },
  { id: "a head twice", bytes: `${ok}${ok}\r\n`, kinds: ["not-http"] },
];

describe.each(Object.entries(requests))("%s", (_name, request) => {
  it.each(cases)("fails as a failure of the server that sends $id", async ({ bytes, kinds }) => {
    for (const end of [(socket: Socket) => void socket.end(), (socket: Socket) => void socket.destroy()]) {
      expect(kinds).toContain(await outcomeOf(request(newClient(), await serving(bytes, end))));
    }
  });

  it("does not end the process if the server resets the connection while the reader is slow", async () => {
    // A response that ends with its connection, which is reset while the library has paused its parser.
    const body = Buffer.alloc(4_000_000, " ");
    const url = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(`${ok}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body);
        setTimeout(() => socket.resetAndDestroy(), 30);
      });
    });
    const client = newClient();
    const outcome = async () => {
      for await (const _chunk of client.stream({ url })) await sleep(20);
    };
    expect(await outcomeOf(outcome())).toBe("reset");
  });

  it("is not affected by the rest of an earlier response on the connection", async () => {
    const client = newClient();
    const url = await serving(`${ok}Content-Length: 2\r\n\r\nok${ok}Content-Length: 4\r\n\r\nfake`, stayOpen);
    const outcomes = [];
    for (let count = 0; count < 4; count++) outcomes.push(await outcomeOf(request(client, url)));
    expect(outcomes[0]).toMatch(/body|reset|not-http/);
    expect(outcomes.every((outcome) => ["body", "reset", "not-http", "stalled"].includes(outcome))).toBe(
      true,
    );
  });
});

describe("a request", () => {
  it.each([
    { id: "an invalid IPv4 address", url: "http://256.1.1.1:80/x" },
    { id: "an invalid port", url: "http://127.0.0.1:65536/x" },
    { id: "no address", url: undefined },
  ])("to $id is not sent", async ({ url }) => {
    await expect(newClient().whole({ url }, 10)).rejects.toMatchObject({ kind: "not-asked" });
  });

  it("whose body has no JSON text is a bug, not a failure of the server", async () => {
    const request = newClient().whole({ url: "http://127.0.0.1:9/", body: { big: 1n } }, 10);
    await expect(request).rejects.toThrow(TypeError);
  });

  it("whose listener throws is a bug, not a failure of the server", async () => {
    const url = await serving(`${ok}Content-Length: 2\r\n\r\nok`);
    const onBytes = () => {
      throw new TypeError("a bug");
    };
    await expect(newClient().whole({ url, onBytes }, 10)).rejects.toThrow(new TypeError("a bug"));
  });
});
