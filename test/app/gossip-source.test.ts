/** Requests for gossip over HTTP, to real servers: the messages of a response, and the failure of each fault. */

import type { ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpGossipSource } from "../../src/app/gossip-source.ts";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { asCycle } from "../../src/protocol/brands.ts";
import { idNamed } from "../helpers/brands.ts";
import { httpServer } from "../helpers/servers.ts";

const signal = new AbortController().signal;

/** The messages that a node with this response sends. */
async function requested(respond: (response: ServerResponse, url: string) => void, options = {}) {
  const url = await httpServer((request, response) => respond(response, request.url ?? ""));
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 2_000 });
  onTestFinished(() => client.close());
  const messages: string[] = [];
  const node = { id: idNamed("a"), publicKey: undefined, url };
  for await (const batch of new HttpGossipSource(client).request(node, asCycle(7), { signal, ...options })) {
    messages.push(...batch.map((message) => message.toString()));
  }
  return messages;
}

describe("a request for gossip", () => {
  it("names the cycle, and yields the messages as received", async () => {
    let path = "";
    const messages = await requested((response, url) => {
      path = url;
      response.end('{"messages":[{"a": 1},{"b":2}]}');
    });
    expect([path, messages]).toEqual(["/partition-gossip?cycle=7", ['{"a": 1}', '{"b":2}']]);
  });

  it("skips a message that is longer than its bound, and yields the others", async () => {
    const long = `{"a":"${"x".repeat(100)}"}`;
    const respond = (response: ServerResponse) => response.end(`{"messages":[${long},{"b":2}]}`);
    expect(await requested(respond, { messageBytesMax: 50 })).toEqual(['{"b":2}']);
  });

  it.each([
    { id: "status 425", respond: status(425), kind: "not-finalized" },
    { id: "status 404", respond: status(404), kind: "permanent" },
    { id: "status 503", respond: status(503), kind: "temporary" },
    { id: "a redirect", respond: status(302, { location: "/other" }), kind: "unacceptable" },
    {
      id: "no list",
      respond: (response: ServerResponse) => response.end('{"message":1}'),
      kind: "malformed",
    },
    {
      id: "half a list",
      respond: (response: ServerResponse) => response.end('{"messages":[{"a":1}'),
      kind: "truncated",
    },
    {
      id: "a broken connection",
      respond: (response: ServerResponse) => response.destroy(),
      kind: "temporary",
    },
  ])("fails as $kind with $id", async ({ respond, kind }) => {
    await expect(requested(respond)).rejects.toMatchObject({ name: "GossipError", kind });
  });

  it("fails as aborted if its caller ends it", async () => {
    const ending = new AbortController();
    const pending = requested(() => ending.abort(), { signal: ending.signal });
    await expect(pending).rejects.toMatchObject({ kind: "aborted" });
  });
});

function status(code: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => void response.writeHead(code, headers).end();
}
