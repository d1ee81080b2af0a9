/** `GET /snapshot-cycles`, and the key that signs it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isSignedBy, ownerOf, privateKeyOf, signerOf } from "../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { SigningKey } from "../../src/serve/signing-key.ts";
import { failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { publishedSnapshot, startServer } from "./running-server.ts";

const published = publishedSnapshot();
const seed = "0123456789abcdef".repeat(4);
const publicKey = ownerOf(privateKeyOf(Buffer.from(seed, "hex")));

interface Cycles {
  readonly cycleInfo: readonly {
    readonly counter: number;
    readonly active: number;
    readonly marker: string;
  }[];
}

function keyFile(text: string): string {
  const file = join(temporaryDirectory(), "key");
  writeFileSync(file, text);
  return file;
}

async function cyclesFrom(url: string): Promise<Cycles> {
  const response = await fetch(`${url}/snapshot-cycles?timestamp=${published.timestamp}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Cycles;
}

describe("GET /snapshot-cycles", () => {
  it("states the agreed hashes of the snapshot, and the records of its cycle and the next", async () => {
    const { url } = await startServer([published.directory]);
    const cycles = await cyclesFrom(url);
    const exported = new Map(
      published
        .bytesOf("export-data.jsonl")
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    );
    const partitions = [-1, 0, 1, 2, 3, 4].map((partition) => [
      partition,
      exported.get(`partition.${partition}`),
    ]);
    expect(cycles).toMatchObject({
      snapshotCycle: 8,
      timestamp: published.timestamp,
      numPartitions: 5,
      networkHash: exported.get("network.hash"),
      partitionHashes: Object.fromEntries(partitions),
    });
    const counters = cycles.cycleInfo.map(({ counter }) => counter);
    expect(counters.slice(0, 2)).toEqual([9, 8]);
    expect(counters).toEqual(counters.toSorted((a, b) => b - a));
    // The records are as received: they hash to their markers.
    for (const record of cycles.cycleInfo) expect(cycleMarker(record)).toBe(record.marker);
  });

  it("is signed by the key of the server, the same each time", async () => {
    for (const text of [seed, `${seed.toUpperCase()}\n`, seed + publicKey]) {
      const { url, events } = await startServer([published.directory], { keyFile: keyFile(text) });
      const cycles = await cyclesFrom(url);
      expect(signerOf(cycles)).toBe(publicKey);
      expect(await cyclesFrom(url)).toEqual(cycles);
      expect(events).toContainEqual({ type: "key", publicKey, isFresh: false });
    }
  });

  it("is signed by a fresh key that the server names, if it has none", async () => {
    const servers = [await startServer([published.directory]), await startServer([published.directory])];
    const owners = await Promise.all(servers.map(async ({ url }) => signerOf(await cyclesFrom(url))));
    for (const [index, { events }] of servers.entries()) {
      expect(events).toContainEqual({ type: "key", publicKey: owners[index], isFresh: true });
    }
    expect(owners[0]).not.toBe(owners[1]);
  });

  it.each([
    { id: "no moment", query: "", status: 400 },
    { id: "two moments", query: "?timestamp=1&timestamp=2", status: 400 },
    { id: "another moment", query: "?timestamp=60000", status: 404 },
  ])("is refused for $id", async ({ query, status }) => {
    const { url } = await startServer([published.directory]);
    expect((await fetch(`${url}/snapshot-cycles${query}`)).status).toBe(status);
  });
});

describe("a key file", () => {
  it.each([
    { id: "too few digits", text: seed.slice(1), says: "expected a private key of 64 or 128 hex digits" },
    { id: "another public key", text: seed + seed, says: "the second half of the key is not the public key" },
    { id: "too many bytes", text: " ".repeat(5_000), says: "it has more than 4096 bytes" },
  ])("with $id is refused before anything is verified, without its content", async ({ text, says }) => {
    const file = keyFile(text);
    const failure = await failureOf(startServer([published.directory], { keyFile: file }));
    expect(failure).toMatchObject({ code: "configuration", message: expect.stringContaining(says) });
    expect(JSON.stringify(failure)).not.toContain(seed.slice(1));
  });

  it("holds a key whose signatures bind what they cover", () => {
    const signed = SigningKey.of(seed).sign({ a: 1 }, "00".repeat(32));
    expect(isSignedBy(signed, "00".repeat(32))).toBe(true);
    expect(isSignedBy({ ...signed, a: 2 }, "00".repeat(32))).toBe(false);
  });
});
