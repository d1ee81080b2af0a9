import type { RequestListener } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { archiverListBytesMax } from "../../src/limits/network.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { readArchivers } from "../../src/trust/read-archivers.ts";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { httpServer } from "../helpers/servers.ts";
import { byArchiver, chainOf, archiver as identity } from "../verify/written-snapshot.ts";

const row = { publicKey: identity.publicKey, ip: "127.0.0.1", port: 4000 };
const list = byArchiver({ activeArchivers: [row] });
const text = ` ${JSON.stringify(list)}`;

interface Reading {
  readonly archiverKey?: string;
  /** Whether the newest record has the hash of a list. */
  readonly isRecorded?: boolean;
}

async function read(respond: RequestListener, { archiverKey, isRecorded = true }: Reading = {}) {
  const requested: (string | undefined)[] = [];
  const archiver = await httpServer((request, response) => {
    requested.push(request.url);
    respond(request, response);
  });
  const client = new HttpClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  const warnings: string[] = [];
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn: (message: string) => warnings.push(message) };
  const cycleInfo = chainOf(isRecorded ? { archiverListHash: "0".repeat(64) } : {});
  const { records } = parseCycleRecords({ cycleInfo }, "records");
  const bytes = await readArchivers({ archiver, archiverKey }, records, context);
  return { list: bytes?.toString("utf8"), warnings, requested };
}

const serving =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body);

describe("the list of archivers", () => {
  it("is kept as received", async () => {
    const kept = { list: text, warnings: [], requested: ["/archivers"] };
    expect(await read(serving(text))).toEqual(kept);
    expect(await read(serving(text), { archiverKey: identity.publicKey })).toEqual(kept);
    const unsigned = JSON.stringify({ activeArchivers: [row] });
    expect(await read(serving(unsigned))).toMatchObject({ list: unsigned, warnings: [] });
  });

  it("is missing without a warning if the archiver does not know it and no record has its hash", async () => {
    const result = await read(serving("", 404), { isRecorded: false });
    expect(result).toMatchObject({ list: undefined, warnings: [] });
  });

  it.each([
    { id: "is not served", respond: serving("", 404), says: /gives no list of archivers .*404/ },
    { id: "is not JSON", respond: serving("[1"), says: /gives no list of archivers/ },
    { id: "has another form", respond: serving("[]"), says: /gives no list of archivers/ },
    {
      id: "names a key twice",
      respond: serving(JSON.stringify({ activeArchivers: [row, row] })),
      says: /lists a public key twice/,
    },
    {
      id: "was changed",
      respond: serving(JSON.stringify({ ...list, activeArchivers: [{ ...row, port: 1 }] })),
      says: /its signature is invalid/,
    },
    {
      id: "is too long",
      respond: serving(" ".repeat(archiverListBytesMax + 1)),
      says: /gives no list of archivers/,
    },
  ])("that $id is a warning, which says what follows", async ({ respond, says }) => {
    const { list: kept, warnings } = await read(respond);
    expect(kept).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(says)]);
    expect(warnings[0]).toContain("does not say which archivers a restarted network can ask");
  });

  it.each([
    { id: "another key", body: text, says: /is not signed by the archiver's key/ },
    { id: "no key", body: JSON.stringify({ activeArchivers: [row] }), says: /is not signed, but/ },
  ])("that $id has signed is not kept if the user gives a key", async ({ body, says }) => {
    const { list: kept, warnings } = await read(serving(body), { archiverKey: "1".repeat(64) });
    expect(kept).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(says)]);
  });
});
