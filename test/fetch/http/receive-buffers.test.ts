import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HttpClient } from "../../../src/fetch/http/http-client.ts";
import { receiveBufferBytes } from "../../../src/limits/http.ts";

/** Bytes that tell where they belong. */
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
    // In chunks of HTTP of a size that fits nothing.
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

/** Whether all came, each chunk as it was while it was looked at; and the memory that it came in. */
async function receive(): Promise<{ isRight: boolean; memories: Set<ArrayBufferLike> }> {
  let at = 0;
  let isRight = true;
  const memories = new Set<ArrayBufferLike>();
  for await (const chunk of client.streamInPlace({ url })) {
    memories.add(chunk.buffer);
    // A slow user, in whose time the connection goes on.
    if (at % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    isRight &&= chunk.equals(body.subarray(at, at + chunk.length));
    at += chunk.length;
  }
  return { isRight: isRight && at === body.length, memories };
}

describe("memory that connections receive into", () => {
  it("is used again, and never while it is in use", async () => {
    const answers = await Promise.all([receive(), receive(), receive()]);
    for (const { isRight } of answers) expect(isRight).toBe(true);
    const large = answers
      .flatMap(({ memories }) => [...memories])
      .filter((memory) => memory.byteLength === receiveBufferBytes);
    // What is joined with other chunks on the way, as in answers of so small chunks, is not used again.
    expect(new Set(large).size).toBeLessThan((3 * body.length) / receiveBufferBytes / 2);
  });

  it("is not used again by whoever keeps the chunks", async () => {
    expect((await client.whole({ url }, body.length)).equals(body)).toBe(true);
  });

  it("is not held by a few bytes", async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of client.stream({ url: `${url}/slowly` })) chunks.push(chunk);
    expect(String(Buffer.concat(chunks))).toBe("drop".repeat(50));
    for (const chunk of chunks) expect(chunk.buffer.byteLength).toBeLessThan(receiveBufferBytes);
  });
});
