import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import { type Fixture, olderFixture } from "../../src/testnet/cluster/fixture.ts";
import { httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, failureOf, optionsFor } from "./run.ts";

const changes = { sinceCycle: 7, sinceNodes: 9, seed: "later", changed: 0.02, created: 0, deleted: 0 };
const newerFixture = smallFixture({ nodes: 9, accounts: 2000, globalAccounts: 10, changes });

/** Starts two clusters and stops them: the validators of the older one have faults. */
async function withFaultyOlder(
  faults: readonly string[],
  test: (
    older: Awaited<ReturnType<typeof startCluster>>,
    newer: Awaited<ReturnType<typeof startCluster>>,
  ) => Promise<void>,
): Promise<void> {
  // Its chain ends where the snapshot is the newest one.
  const parsed = smallFixture({
    nodes: 9,
    accounts: 2000,
    globalAccounts: 10,
    snapshotCycle: 7,
    cycles: 9,
    faults,
  });
  const olderOf: Fixture = { ...olderFixture(newerFixture), cycles: 9, faults: parsed.faults };
  const older = await startCluster(olderOf);
  const newer = await startCluster(newerFixture);
  try {
    await test(older, newer);
  } finally {
    await older.stop();
    await newer.stop();
  }
}

function partialsIn(out: string): string[] {
  return readdirSync(out).filter((name) => name.endsWith(".partial"));
}

describe("the partial snapshot of a run that failed", () => {
  it("seeds a newer snapshot, and is removed once that is published", async () => {
    // Nobody gives partition 4; the others are kept.
    await withFaultyOlder(["*:omit-partition=4"], async (older, newer) => {
      const out = temporaryDirectory();
      expect(await failureOf(assembleFrom(older, { out }))).toMatchObject({ code: "verification" });
      expect(partialsIn(out)).toEqual([`.snapshot-${older.snapshotTimestamp}.partial`]);
      const whole = await assembleFrom(newer, { seed: ["none"] });
      const result = await assembleFrom(newer, { out });
      expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
      // One of nine partitions is fetched whole, and a fiftieth of the others.
      expect(result.bytes.received).toBeLessThan(0.3 * whole.bytes.received);
      expect(partialsIn(out)).toEqual([]);
      const { partitions } = JSON.parse(readFileSync(join(result.directory, "run.json"), "utf8"));
      const sources = partitions.map(({ source }: { source: { kind: string } }) => source.kind);
      expect(new Set(sources)).toEqual(new Set(["seed", "node"]));
    });
  });
});

/** Each node gives a half of what is requested, and has dropped the snapshot when the next request arrives. */
const dropping = ["*:gone=1", "*:truncate"];

describe("a snapshot that every validator drops while it is assembled", () => {
  it("ends a run for its time with a code of its own, and says that it will not come back", async () => {
    await withFaultyOlder(dropping, async (older) => {
      const failure = await failureOf(assembleFrom(older, { concurrency: 1 }));
      expect(failure).toMatchObject({
        code: "gone",
        message: expect.stringContaining("the snapshot is gone"),
      });
      expect(failure.hint).toContain("it will not come back");
    });
  });

  it("is a seed for the next one, which the same run for latest assembles", async () => {
    await withFaultyOlder(dropping, async (older, newer) => {
      let lists = 0;
      const archiver = await httpServer(async (request, response) => {
        if (request.url?.startsWith("/full-nodelist") === true) lists++;
        const { archiverUrl } = lists <= 1 ? older : newer;
        const body: Buffer[] = [];
        for await (const chunk of request) body.push(chunk as Buffer);
        const forwarded = await fetch(`${archiverUrl}${request.url}`, {
          method: request.method ?? "GET",
          ...(body.length > 0
            ? { body: Buffer.concat(body), headers: { "content-type": "application/json" } }
            : {}),
        });
        response.writeHead(forwarded.status).end(Buffer.from(await forwarded.arrayBuffer()));
      });
      const out = temporaryDirectory();
      const options = {
        ...optionsFor(newer, { out, timestamp: "latest", concurrency: 1 }),
        archiver,
        archiverKey: undefined,
      };
      const result = await assembleFrom(newer, options);
      expect(result.timestamp).toBe(newer.snapshotTimestamp);
      expect(lists).toBe(2);
      const whole = await assembleFrom(newer, { seed: ["none"] });
      expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
      expect(existsSync(join(out, `.snapshot-${older.snapshotTimestamp}.partial`))).toBe(false);
    });
  });
});
