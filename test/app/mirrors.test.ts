/** Runs fetch accounts from mirrors where validators do not give them, and publish only what has the agreed hash. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AssembleResult } from "../../src/app/assemble.ts";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { PartitionSource } from "../../src/events/assemble-events.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { breakOffAt, type MirrorBehaviour, mirrorServer } from "../helpers/mirror-server.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, failureOf, filesIn } from "./run.ts";

/** Partitions of about 200 KB. */
const state = { accounts: 200, accountBytes: 5000 };

/** The validators have dropped the snapshot, and their gossip. */
const gone = ["*:gone", "*:no-gossip"];

let plain: AssembleResult;
let goneCluster: Cluster;
const root = makeTemporaryDirectory();
const plainRoot = join(root, "plain");
const compressedRoot = join(root, "compressed");
const hashDb = join(root, "hashes.sqlite");

afterAll(async () => {
  await goneCluster.stop();
  removeDirectory(root);
});

beforeAll(async () => {
  await withCluster(state, async (cluster) => {
    plain = await assembleFrom(cluster, { out: plainRoot, hashDb });
    await assembleFrom(cluster, { out: compressedRoot, compression: "gzip" });
  });
  goneCluster = await startCluster(smallFixture({ ...state, faults: gone }));
});

/** Longer than any pause of a busy machine. */
const stallTimeoutMs = 30_000;

function assembleGone(options: Partial<AssembleOptions>): Promise<AssembleResult> {
  return assembleFrom(goneCluster, { hashDb, stallTimeoutMs, ...options });
}

/**
 * Assembles the snapshot, which must be the same byte for byte as that of the validators.
 *
 * @param faults those of the validators, if they have not dropped the snapshot
 */
async function assembleSame(
  options: Partial<AssembleOptions>,
  faults?: readonly string[],
): Promise<AssembleResult> {
  const result =
    faults === undefined
      ? await assembleGone(options)
      : await withCluster({ ...state, faults }, (cluster) =>
          assembleFrom(cluster, { hashDb, stallTimeoutMs, ...options }),
        );
  expect(hashesOf(result.directory)).toEqual(hashesOf(plain.directory));
  return result;
}

/** File → hash: buffers are slow to compare. */
function hashesOf(directory: string): Map<string, string> {
  return new Map([...comparedFiles(directory)].map(([file, bytes]) => [file, hashText(bytes)]));
}

function sourcesOf({ directory }: AssembleResult): PartitionSource[] {
  const { partitions } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  return partitions.map(({ source }: { source: PartitionSource }) => source);
}

const artifact = "partition-00003.json";
/** The global partition is too short for a beginning. */
const isLong = (path: string) => /partition-\d+\.json/.test(path);
const isArtifact = (path: string) => /partition-.*\.json/.test(path);

describe("a run with a mirror", () => {
  it.each([
    { id: "with ranges", behaviour: {} },
    { id: "without ranges", behaviour: { hasRanges: false } },
    { id: "with compressed artifacts", isCompressed: true, behaviour: {} },
    {
      id: "that sends compressed artifacts as an encoding",
      isCompressed: true,
      behaviour: {
        fault: ({ path, bytes, response }) => {
          if (path.endsWith(".gz")) response.setHeader("content-encoding", "gzip");
          response.end(bytes);
          return true;
        },
      } satisfies MirrorBehaviour,
    },
  ])("publishes from one $id although every validator has dropped the snapshot", async (one) => {
    const { url } = await mirrorServer(one.isCompressed ? compressedRoot : plainRoot, one.behaviour);
    for (const order of ["bisect", "cover"] as const) {
      const result = await assembleSame({ mirrors: [url], order });
      expect(sourcesOf(result)).toEqual(Array.from({ length: 6 }, () => ({ kind: "mirror", url })));
      expect(result.offences).toEqual([]);
      expect((await verifySnapshot(result.directory)).findings).toEqual([]);
    }
  });

  it("accepts the URL of a snapshot, and keeps user, password and token to itself", async () => {
    const { url, requests } = await mirrorServer(plainRoot);
    const secret = `${url.replace("://", "://user:s3cret@")}/snapshot-${plain.timestamp}?token=t0ken`;
    const result = await assembleSame({ mirrors: [secret], evidence: secret, hashDb: undefined });
    expect(requests.length).toBeGreaterThan(6);
    for (const { query, authorization } of requests) {
      expect(query).toBe("?token=t0ken");
      expect(authorization).toBe(`Basic ${Buffer.from("user:s3cret").toString("base64")}`);
    }
    const shown = JSON.stringify(result) + readFileSync(join(result.directory, "run.json"), "utf8");
    expect(shown).toContain("***@127.0.0.1");
    expect(shown).not.toMatch(/s3cret|t0ken/);
  });

  it("shares partitions among mirrors, which validators that failed do not hold up", async () => {
    const mirrors = [await mirrorServer(plainRoot), await mirrorServer(plainRoot)];
    await assembleSame({ mirrors: mirrors.map(({ url }) => url) });
    for (const { requests } of mirrors)
      expect(requests.filter(({ path }) => isArtifact(path)).length).toBeGreaterThan(0);
  });

  it("continues what validators broke off, from the byte that it has", async () => {
    const mirror = await mirrorServer(plainRoot);
    // The global partition is short, so that no validator breaks it off.
    const result = await assembleSame({ mirrors: [mirror.url] }, ["*:break-half=1", "*:gone=1"]);
    const starts = mirror.requests.flatMap(({ range }) =>
      range === undefined ? [] : [Number(range.slice("bytes=".length, -1))],
    );
    expect(starts.length).toBeGreaterThan(0);
    for (const start of starts) expect(start).toBeGreaterThan(64 * 1024);
    expect(sourcesOf(result)).toContainEqual({ kind: "continued", url: mirror.url });
    expect(result.offences).toEqual([]);
  });

  it("continues a mirror that breaks off every transfer, at the same mirror", async () => {
    const mirror = await mirrorServer(plainRoot, {
      fault: (file) => {
        const end = file.start + 100_000;
        if (!isArtifact(file.path) || end >= file.bytes.length) return false;
        breakOffAt(end, file);
        return true;
      },
    });
    const result = await assembleSame({ mirrors: [mirror.url] });
    expect(result.bytes.received).toBeLessThan(1.1 * result.stateBytes);
    expect(result.offences).toEqual([]);
  });

  it("continues at a validator what a mirror broke off in an earlier run", async () => {
    const out = temporaryDirectory();
    const mirror = await mirrorServer(plainRoot, {
      fault: (file) => {
        if (!isLong(file.path)) return false;
        breakOffAt(Math.floor(0.9 * file.bytes.length), file);
        return true;
      },
      hasRanges: false,
    });
    const failure = await failureOf(assembleGone({ out, mirrors: [mirror.url] }));
    expect(failure.message).toContain("could not fetch every partition");
    expect(failure.details?.join("\n")).toContain(`the mirror ${mirror.url}: `);
    const result = await assembleSame({ out }, []);
    expect(sourcesOf(result).filter(({ kind }) => kind === "continued").length).toBeGreaterThan(0);
    expect(result.bytes.received).toBeLessThan(plain.bytes.received);
  });

  it("is not blamed for a damaged beginning of an earlier run, which it is requested to continue", async () => {
    const out = temporaryDirectory();
    const breaking = await mirrorServer(plainRoot, {
      fault: (file) => {
        if (!isLong(file.path)) return false;
        breakOffAt(Math.floor(0.9 * file.bytes.length), file);
        return true;
      },
    });
    await failureOf(assembleGone({ out, mirrors: [breaking.url] }));
    const partial = join(out, `.snapshot-${plain.timestamp}.partial`);
    const beginnings = [...filesIn(partial)].filter(([file]) => file.endsWith(".whole.json"));
    expect(beginnings.length).toBeGreaterThan(0);
    for (const [file, bytes] of beginnings)
      writeFileSync(join(partial, file), String(bytes).replace('"isGlobal":0', '"isGlobal":1'));
    const honest = await mirrorServer(plainRoot);
    const result = await assembleSame({ out, mirrors: [honest.url] });
    expect(honest.requests.filter(({ range }) => range !== undefined).length).toBeGreaterThan(0);
    expect(result.offences).toEqual([]);
  });
});

describe("a mirror that does wrong", () => {
  const only = (fault: MirrorBehaviour["fault"]): MirrorBehaviour => ({
    fault: (file) => file.path.endsWith(artifact) && fault?.(file) === true,
  });
  const changed = (change: (text: string) => string): MirrorBehaviour => ({
    change: (path, bytes) => (path.endsWith(artifact) ? Buffer.from(change(String(bytes))) : bytes),
  });
  const manifest = (change: (text: string) => string): MirrorBehaviour => ({
    change: (path, bytes) => (path.endsWith("manifest.json") ? Buffer.from(change(String(bytes))) : bytes),
  });

  it.each([
    {
      id: "has a changed artifact",
      behaviour: changed((text) => text.replace('"isGlobal":0', '"isGlobal":1')),
      kinds: ["wrong-partition"],
    },
    {
      id: "has a truncated artifact",
      behaviour: changed((text) => text.slice(0, text.length / 2)),
      kinds: ["wrong-partition"],
    },
    { id: "has an empty artifact", behaviour: changed(() => ""), kinds: ["wrong-partition"] },
    {
      id: "appends to an artifact",
      behaviour: changed((text) => `${text}\n`),
      kinds: ["wrong-partition"],
    },
    {
      id: "sends an artifact without an end",
      behaviour: only(({ response }) => {
        const send = () => {
          while (response.write(Buffer.alloc(64 * 1024, "x")));
        };
        response.on("drain", send);
        send();
        return true;
      }),
      kinds: ["oversized-answer"],
    },
    {
      id: "redirects",
      behaviour: only(({ response }) => {
        response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
        return true;
      }),
      kinds: ["redirect"],
    },
    { id: "sends nothing", behaviour: only(() => true), kinds: ["stalled-answer"], stallTimeoutMs: 2_000 },
    { id: "has a manifest of another moment", behaviour: manifest(shifted), kinds: [] },
    {
      id: "has a manifest of another network",
      behaviour: manifest((text) => text.replace(/"networkHash": "\w{8}/, '"networkHash": "00000000')),
      kinds: [],
    },
    {
      id: "has a manifest of other partitions",
      behaviour: manifest((text) =>
        text
          .replace('"numPartitions": 5', '"numPartitions": 4')
          .replace(/,\s*\[\s*"partition.4",[^\]]*\]/, ""),
      ),
      kinds: [],
    },
    {
      id: "has files outside of the snapshot in its manifest",
      behaviour: manifest((text) => text.replace(artifact, `../${artifact}`)),
      kinds: ["malformed-answer"],
    },
  ])(
    "and $id costs nothing but time: another one completes the run",
    async ({ behaviour, kinds, ...rest }) => {
      const wrong = await mirrorServer(plainRoot, behaviour);
      const honest = await mirrorServer(plainRoot);
      // One query at a time, so that the first mirror is requested for the partition that it has wrong.
      const result = await assembleSame({
        mirrors: [wrong.url, honest.url],
        concurrency: 1,
        stallTimeoutMs: "stallTimeoutMs" in rest ? rest.stallTimeoutMs : stallTimeoutMs,
      });
      const blamed = new Set(result.offences.map(({ kind }) => kind));
      expect([...blamed]).toEqual(kinds);
      for (const { node } of result.offences) expect(node).toBe(wrong.url);
      const urls = sourcesOf(result).map((source) => ("url" in source ? source.url : ""));
      expect(urls[4]).toBe(honest.url);
    },
  );

  it.each([
    { id: "is a gzip bomb", bytes: () => gzipSync(Buffer.alloc(64 * 1024 * 1024)) },
    { id: "is not gzip", bytes: () => Buffer.from(`1f8b0800000000000003${"ff".repeat(99)}`, "hex") },
  ])("and whose compressed artifact $id is blamed, and not believed", async ({ bytes }) => {
    const wrong = await mirrorServer(compressedRoot, {
      change: (path, right) => (path.endsWith(`${artifact}.gz`) ? bytes() : right),
    });
    const honest = await mirrorServer(plainRoot);
    const { offences } = await assembleSame({ mirrors: [wrong.url, honest.url], concurrency: 1 });
    expect(offences.length).toBeGreaterThan(0);
    for (const { node } of offences) expect(node).toBe(wrong.url);
  });

  it("and answers a range with other bytes is not requested again", async () => {
    const wrong = await mirrorServer(plainRoot, {
      fault: ({ bytes, start, response }) => {
        if (start === 0) return false;
        response
          .writeHead(206, { "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` })
          .end(bytes);
        return true;
      },
    });
    const honest = await mirrorServer(plainRoot);
    const faults = ["*:break-half=1", "*:gone=1"];
    const { offences } = await assembleSame({ mirrors: [wrong.url, honest.url], concurrency: 1 }, faults);
    expect(offences).toMatchObject([{ node: wrong.url, kind: "malformed-answer" }]);
    expect(offences[0]?.detail).toContain("were requested, and the response's range is");
  });

  it("and is the only source is named, and the validators' absence decides the status", async () => {
    const wrong = await mirrorServer(plainRoot, manifest(shifted));
    const failure = await failureOf(assembleGone({ mirrors: [wrong.url] }));
    expect(failure.code).toBe("gone");
    expect(failure.details?.join("\n")).toContain(
      `the mirror ${wrong.url}: it has another snapshot: its timestamp`,
    );
  });
});

function shifted(text: string): string {
  return text.replace(/"timestamp": (\d+)/, (_, timestamp) => `"timestamp": ${Number(timestamp) + 60_000}`);
}
