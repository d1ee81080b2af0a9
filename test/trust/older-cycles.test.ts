import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { isSignedBy } from "../../src/protocol/crypto/signature.ts";
import { readCycles } from "../../src/trust/read-cycles.ts";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { failureOf } from "../app/run.ts";
import { httpServer } from "../helpers/servers.ts";

const recordOf = (counter: number) => ({
  counter,
  start: 1_700_000_000 + 60 * counter,
  duration: 60,
  active: 5,
});

interface RangeRequest {
  readonly start: number;
  readonly end: number;
}

/** An archiver with the records of cycles 0 to 399, which returns at most `most` of them to a GET. */
async function archiverOf(most: number, rangeOf: (request: RangeRequest) => object) {
  const requests: string[] = [];
  const archiver = await httpServer(async (request, response) => {
    if (request.method === "GET") {
      const count = Number(request.url?.split("/").at(-1));
      requests.push(`GET ${count}`);
      const records = Array.from({ length: Math.min(count, most) }, (_, index) => recordOf(399 - index));
      response.end(JSON.stringify({ cycleInfo: records }));
      return;
    }
    const body = JSON.parse(String(await buffer(request))) as RangeRequest & {
      sender: string;
      sign: { owner: string };
    };
    requests.push(`POST ${body.start} to ${body.end}`);
    expect(isSignedBy(body)).toBe(true);
    expect(body.sender).toBe(body.sign.owner);
    response.end(JSON.stringify(rangeOf(body)));
  });
  return { archiver, requests };
}

const honest = ({ start, end }: RangeRequest) => ({
  cycleInfo: Array.from({ length: end - start + 1 }, (_, index) => recordOf(start + index)),
});

async function read(archiver: string, counter: number) {
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 5_000 });
  onTestFinished(() => client.close());
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn: () => undefined };
  return await readCycles({ archiver }, { kind: "cycle", counter }, context);
}

describe("old cycle records", () => {
  it("are read in pages if an archiver returns at most a hundred", async () => {
    const { archiver, requests } = await archiverOf(100, honest);
    const { records, bytes } = await read(archiver, 120);
    expect(requests).toEqual(["GET 100", "GET 282", "POST 199 to 299", "POST 118 to 198"]);
    expect(records.map(({ counter }) => counter)).toEqual(
      Array.from({ length: 282 }, (_, index) => 118 + index),
    );
    // The bytes for the evidence parse to the same records.
    const again = parseCycleRecords(JSON.parse(bytes.toString("utf8")), "evidence");
    expect(again.records).toEqual(records);
    expect(again.responses).toHaveLength(3);
  });

  it("are read at once if an archiver returns as many as requested", async () => {
    const { archiver, requests } = await archiverOf(10_000, honest);
    const { records } = await read(archiver, 120);
    expect(requests).toEqual(["GET 100", "GET 282"]);
    expect(records).toHaveLength(282);
  });

  it("are not returned if the archiver has none", async () => {
    const { archiver } = await archiverOf(100, () => ({ cycleInfo: [] }));
    expect((await read(archiver, 120)).records).toHaveLength(100);
  });

  it("are rejected if they are not those that were requested", async () => {
    const { archiver } = await archiverOf(100, () => ({ cycleInfo: [recordOf(399)] }));
    const failure = await failureOf(read(archiver, 120));
    expect(failure).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("got record 399"),
    });
  });

  it("fail with the archiver's own message if it refuses with status 200", async () => {
    const { archiver } = await archiverOf(100, () => ({ success: false, error: "Invalid signature" }));
    const failure = await failureOf(read(archiver, 120));
    expect(failure).toMatchObject({
      code: "temporary",
      message: expect.stringContaining("Invalid signature"),
    });
  });
});
