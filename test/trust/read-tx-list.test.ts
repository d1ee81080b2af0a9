import type { RequestListener } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { txListBytesMax } from "../../src/limits/network.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { readTxList } from "../../src/trust/read-tx-list.ts";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { httpServer } from "../helpers/servers.ts";
import { chainOf } from "../verify/written-snapshot.ts";

const list = [{ tx: { type: "nodeReward" }, hash: "a" }];
const text = ` ${JSON.stringify(list)}`;
const hash = hashText(canonicalTextOf(list));

/** Reads the list of an archiver whose records have these hashes of it. */
async function read(respond: RequestListener, hashes: readonly (string | undefined)[]) {
  const requested: (string | undefined)[] = [];
  const archiver = await httpServer((request, response) => {
    requested.push(request.url);
    respond(request, response);
  });
  const client = new HttpClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  const warnings: string[] = [];
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn: (message: string) => warnings.push(message) };
  const cycleInfo = chainOf(...hashes.map((txlisthash) => (txlisthash === undefined ? {} : { txlisthash })));
  const { records } = parseCycleRecords({ cycleInfo }, "records");
  const bytes = await readTxList({ archiver }, records, context);
  return { list: bytes?.toString("utf8"), warnings, requested };
}

const serving =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body);

const other = "0".repeat(64);

describe("the network's list of transactions", () => {
  it("is kept as received if the newest record has its hash, or an older one has", async () => {
    for (const hashes of [
      [other, hash],
      [hash, other],
    ]) {
      const result = await read(serving(text), hashes);
      expect(result).toEqual({ list: text, warnings: [], requested: ["/network-txs-list"] });
    }
  });

  it("is not requested if the newest record has no hash of it", async () => {
    for (const hashes of [[hash, undefined], [""], []]) {
      expect(await read(serving(text), hashes)).toEqual({ list: undefined, warnings: [], requested: [] });
    }
  });

  it.each([
    {
      id: "has another hash",
      respond: serving("[]"),
      says: /hashes to [0-9a-f]{64}, which is in no cycle record/,
    },
    { id: "is not served", respond: serving("not found", 404), says: /gives no network-txs-list .*404/ },
    { id: "is not JSON", respond: serving("[1"), says: /gives no network-txs-list/ },
    {
      id: "is too long",
      respond: serving(" ".repeat(txListBytesMax + 1)),
      says: /gives no network-txs-list/,
    },
    {
      id: "breaks off",
      respond: (_: unknown, response: { destroy(): void }) => response.destroy(),
      says: /gives no/,
    },
  ])("that $id is a warning, which says what follows", async ({ respond, says }) => {
    const { list: kept, warnings } = await read(respond as RequestListener, [hash]);
    expect(kept).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(says)]);
    expect(warnings[0]).toContain("a network cannot be restarted from it alone");
  });
});
