import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash-key.ts";
import { readList } from "../../src/trust/list-source.ts";
import type { ListSources } from "../../src/trust/network-options.ts";
import { WireError } from "../../src/wire/parse.ts";
import { deadUrl, httpServer, tcpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { archiver, byArchiver, identities } from "../verify/written-snapshot.ts";

function newClient(): HttpClient {
  const client = new HttpClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  return client;
}

interface Given {
  readonly sources: ListSources;
  readonly file?: string;
  readonly path?: string;
  readonly signal?: AbortSignal;
  readonly parse?: (received: unknown, source: string) => { received: unknown };
}

async function read({ sources, file, path = "full-nodelist?activeOnly=true", signal, parse }: Given) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const context = { client: newClient(), hashKey: DEFAULT_HASH_KEY, warn, signal };
  const request = { file, path, ifUnsigned: "node-list" } as const;
  const list = await readList(request, sources, context, parse ?? ((received) => ({ received })));
  return { list, warnings };
}

/** Reads the list of an archiver with the given responses. */
async function readFrom(respond: RequestListener, given: Partial<Given> & { archiverKey?: string } = {}) {
  const { archiverKey, ...others } = given;
  return await read({ sources: { archiver: await httpServer(respond), archiverKey }, ...others });
}

const json =
  (value: unknown): RequestListener =>
  (_, response) =>
    void response.end(JSON.stringify(value));

function fileOf(text: string): string {
  const file = join(temporaryDirectory(), "list.json");
  writeFileSync(file, text);
  return file;
}

describe("a list of an archiver", () => {
  it("is requested at its path, with the query of the archiver's URL", async () => {
    const requested: (string | undefined)[] = [];
    const url = await httpServer((request, response) => {
      requested.push(request.url);
      response.end("[1]");
    });
    const { list, warnings } = await read({ sources: { archiver: `${url}/base/?token=secret` } });
    expect(requested).toEqual(["/base/full-nodelist?activeOnly=true&token=secret"]);
    expect(list.received).toEqual([1]);
    expect(String(list.bytes)).toBe("[1]");
    expect(warnings).toEqual([`${url}/base/full-nodelist?activeOnly=true is not signed by the archiver`]);
  });

  it.each([
    { id: "without an archiver", sources: {}, says: "neither an archiver nor files are given" },
    { id: "with an archiver that is not a URL", sources: { archiver: "nowhere" }, says: "is not a URL" },
  ])("is a usage error $id", async ({ sources, says }) => {
    await expect(read({ sources })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(says),
    });
  });

  it.each([
    { id: "its reason", refusal: { success: false, error: "Invalid count" }, says: ': "Invalid count"' },
    { id: "no reason", refusal: { success: false }, says: ": it states no reason" },
  ])("that is refused with status 200 is a temporary failure with $id", async ({ refusal, says }) => {
    await expect(readFrom(json(refusal))).rejects.toMatchObject({
      code: "temporary",
      message: expect.stringMatching(/^the archiver refuses /),
    });
    await expect(readFrom(json(refusal))).rejects.toThrow(says.replaceAll('"', ""));
  });

  it.each<{ id: string; respond: RequestListener }>([
    { id: "is not JSON", respond: (_, response) => void response.end("<html>") },
    { id: "has status 404", respond: (_, response) => void response.writeHead(404).end() },
    { id: "is a redirect", respond: (_, response) => void response.writeHead(302, { location: "/x" }).end() },
  ])("that $id is a wrong configuration", async ({ respond }) => {
    await expect(readFrom(respond)).rejects.toMatchObject({
      code: "configuration",
      hint: "Check that --archiver is the address of an archiver.",
    });
  });

  it("that cannot be parsed is a wrong configuration, and a bug of the parser is passed on", async () => {
    const malformed = (_: unknown, source: string) => {
      throw new WireError(source, "malformed");
    };
    await expect(readFrom(json([]), { parse: malformed })).rejects.toMatchObject({ code: "configuration" });
    const bug = () => {
      throw new TypeError("a bug");
    };
    await expect(readFrom(json([]), { parse: bug })).rejects.toThrow(TypeError);
  });

  it("is a temporary failure if nobody listens, with a doubt about the address", async () => {
    await expect(read({ sources: { archiver: await deadUrl() } })).rejects.toMatchObject({
      code: "temporary",
      message: expect.stringMatching(/ECONNREFUSED.*; the address may be wrong$/),
      hint: expect.stringContaining("Check the host and the port of --archiver"),
    });
  });

  it("is a temporary failure if the archiver wants more time than a list has", async () => {
    const busy = readFrom((_, response) => void response.writeHead(503, { "retry-after": "3600" }).end());
    await expect(busy).rejects.toMatchObject({
      code: "temporary",
      hint: "Try again later, or use another archiver with --archiver.",
    });
  });

  it("is requested again after a temporary failure", async () => {
    let requests = 0;
    const { list } = await readFrom((_, response) => {
      if (++requests === 1) response.writeHead(503, { "retry-after": "0" });
      response.end("[]");
    });
    expect([requests, list.received]).toEqual([2, []]);
  });

  it("is not requested after the signal is aborted", async () => {
    await expect(readFrom(json([]), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "aborted",
    });
  });

  it("of an archiver without TLS is a usage error that names the scheme", async () => {
    const url = await tcpServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(read({ sources: { archiver: url.replace("http:", "https:") } })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/^no TLS connection to the archiver at https:/),
      hint: expect.stringContaining("Check the scheme and the port"),
    });
  });
});

describe("the signature of a list", () => {
  const signed = byArchiver({ nodeList: [] });

  it("of the archiver is accepted without a warning", async () => {
    const { warnings } = await readFrom(json(signed), { archiverKey: archiver.publicKey });
    expect(warnings).toEqual([]);
    expect((await readFrom(json(signed))).warnings).toEqual([]);
  });

  it.each([
    { id: "that is missing", list: { nodeList: [] }, says: /is not signed, but --archiver-key is given$/ },
    { id: "that is invalid", list: { ...signed, nodeList: [1] }, says: /: the signature is invalid$/ },
    {
      id: "of another key",
      list: signed,
      key: identities[0]?.publicKey,
      says: /is signed by \w+, not by the archiver's key \w+$/,
    },
  ])("$id is refused if the archiver's key is given", async ({ list, key, says }) => {
    const archiverKey = key ?? archiver.publicKey;
    await expect(readFrom(json(list), { archiverKey })).rejects.toMatchObject({
      code: "node-list",
      message: expect.stringMatching(says),
    });
  });
});

describe("a list in a file", () => {
  it("is read without a request, and needs no signature", async () => {
    const { list, warnings } = await read({ sources: {}, file: fileOf('{"success":false}') });
    expect(list.received).toEqual({ success: false });
    expect(warnings).toEqual([]);
  });

  it("has an error that names the file if it cannot be read or is malformed", async () => {
    await expect(read({ sources: {}, file: "/nowhere/list.json" })).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/^cannot read \/nowhere\/list\.json: /),
    });
    await expect(read({ sources: {}, file: fileOf("{") })).rejects.toMatchObject({
      code: "configuration",
      hint: "Correct the file.",
    });
  });

  it("is not read if the signal is aborted", async () => {
    const reason = new Error("ended");
    const signal = AbortSignal.abort(reason);
    await expect(read({ sources: {}, file: "/nowhere/list.json", signal })).rejects.toBe(reason);
  });
});
