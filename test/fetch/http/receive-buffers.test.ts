import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HttpClient } from "../../../src/fetch/http/http-client.ts";
import { receiveBufferBytes } from "../../../src/limits/http.ts";

/** Bytes that depend on their position. */
const body = Buffer.alloc(24 * 1024 * 1024);
for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(at, at);

let server: Server;
let url: string;
const client = new HttpClient({ connectTimeoutMs: 5_000, stallTimeoutMs: 5_000 });

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/slowly") {
      drip(response.write.bind(response), () => response.end());
      return;
    }
    // The size of the HTTP chunks is neither a divisor nor a multiple of a buffer's.
    for (let at = 0; at < body.length; at += 77_777) response.write(body.subarray(at, at + 77_777));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
});

afterAll(async () => {
  await client.close();
  server.close();
});

function drip(write: (bytes: Buffer) => void, end: () => void, left = 50): void {
  if (left === 0) {
    end();
    return;
  }
  write(Buffer.from("drop"));
  setTimeout(() => drip(write, end, left - 1), 1);
}

/** Returns whether all bytes arrived and stayed unchanged while in use, and the memory of the chunks. */
async function receive(): Promise<{ isRight: boolean; memories: Set<ArrayBufferLike> }> {
  let at = 0;
  let isRight = true;
  const memories = new Set<ArrayBufferLike>();
  for await (const chunk of client.streamInPlace({ url })) {
    memories.add(chunk.buffer);
    // A slow reader, during whose work the connection continues.
    if (at % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    isRight &&= chunk.equals(body.subarray(at, at + chunk.length));
    at += chunk.length;
  }
  return { isRight: isRight && at === body.length, memories };
}

describe("the memory that connections receive into", () => {
  it("is reused, but not while it is in use", async () => {
    const responses = await Promise.all([receive(), receive(), receive()]);
    for (const { isRight } of responses) expect(isRight).toBe(true);
    const large = responses
      .flatMap(({ memories }) => [...memories])
      .filter((memory) => memory.byteLength === receiveBufferBytes);
    // Small chunks are joined on the way, and joined chunks are not in reusable memory.
    expect(new Set(large).size).toBeLessThan((3 * body.length) / receiveBufferBytes / 2);
  });

  it("is not reused by a reader that keeps the chunks", async () => {
    expect((await client.whole({ url }, body.length)).equals(body)).toBe(true);
  });

  it("is not occupied by a few bytes", async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of client.stream({ url: `${url}/slowly` })) chunks.push(chunk);
    expect(String(Buffer.concat(chunks))).toBe("drop".repeat(50));
    for (const chunk of chunks) expect(chunk.buffer.byteLength).toBeLessThan(receiveBufferBytes);
  });
});
