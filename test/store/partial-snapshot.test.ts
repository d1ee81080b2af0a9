import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Compression } from "../../src/format/artifact.ts";
import type { ExportData } from "../../src/format/export-data.ts";
import { asCycle, asHashHex, asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { networkHash, partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { asPartitions } from "../helpers/brands.ts";
import { emptyRun } from "../helpers/run-record.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const timestamp = 1_700_000_640_000;
const shard = makeShard({ numNodes: 3 });
const preimages = partitionPreimages(makeAccounts(shard, { perPartition: 6, globals: 2 }), shard);
const partitionHashes = new Map([...preimages].map(([partition, text]) => [partition, hashText(text)]));
const data: ExportData = {
  timestamp,
  cycle: asCycle(7),
  hashKey: DEFAULT_HASH_KEY,
  networkHash: networkHash(partitionHashes),
  partitionHashes,
};
const size = { accounts: 20, bytes: 12345 };
const evidence = {
  nodeList: Buffer.from("[]"),
  cycles: Buffer.from("[]"),
  counting: {
    sharding: { nodesPerConsensusGroup: 3, nodesPerEdge: 1, source: "given" as const },
    quorum: { rule: "majority" as const, source: "given" as const },
  },
  gossip: [Buffer.from('{"a":1}\n'), Buffer.from('{"b":2}\n')],
};

function open(out: string, compression: Compression = "none") {
  return PartialSnapshot.open({ out, timestamp, compression, numPartitions: 1 });
}

async function accept(partial: PartialSnapshot, partitions: Iterable<number>, response = 0): Promise<void> {
  for (const partition of partitions) {
    const path = partial.incomingPath(response, asPartition(partition));
    writeFileSync(path, preimages.get(asPartition(partition)) ?? "");
    await partial.accept(asPartition(partition), path);
  }
}

async function publish(out: string, compression: Compression = "none", order = [...preimages.keys()]) {
  const partial = await open(out, compression);
  await accept(partial, order);
  const manifest = await partial.complete(data, size, evidence, { ...emptyRun, startedAt: order.join() });
  return { directory: await partial.putInPlace(), manifest };
}

const name = `snapshot-${timestamp}`;
const files = ["export-data.jsonl", "export-manifest.json", "evidence", "run.json"];
const artifacts = [
  "partition-00000.json",
  "partition-00001.json",
  "partition-00002.json",
  "partition-global.json",
];

describe("a published snapshot", () => {
  it("has the files of the format, and leaves nothing else in the output directory", async () => {
    const out = temporaryDirectory();
    const { directory } = await publish(out);
    expect(directory).toBe(join(out, name));
    expect(readdirSync(out)).toEqual([name]);
    expect(readdirSync(directory).sort()).toEqual([...files, ...artifacts].sort());
    for (const file of ["gossip.jsonl", "node-list.json", "cycles.json"]) {
      expect(existsSync(join(directory, "evidence", file))).toBe(true);
    }
    expect(readFileSync(join(directory, "evidence", "gossip.jsonl"), "utf8")).toBe('{"a":1}\n{"b":2}\n');
    expect(readFileSync(join(directory, "partition-00001.json"), "utf8")).toBe(preimages.get(asPartition(1)));
    expect(readFileSync(join(directory, "partition-global.json"), "utf8")).toBe(
      preimages.get(asPartition(-1)),
    );
  });

  it("has exactly the specified fields in its manifest and export data", async () => {
    const { directory } = await publish(temporaryDirectory());
    const exportData = readFileSync(join(directory, "export-data.jsonl"), "utf8");
    expect(exportData).toBe(
      [
        ["format.version", "1"],
        ["hash.key", DEFAULT_HASH_KEY],
        ["network.hash", data.networkHash],
        ["partition.-1", partitionHashes.get(asPartition(-1))],
        ["partition.0", partitionHashes.get(asPartition(0))],
        ["partition.1", partitionHashes.get(asPartition(1))],
        ["partition.2", partitionHashes.get(asPartition(2))],
        ["snapshot.cycle", "7"],
        ["snapshot.timestamp", String(timestamp)],
      ]
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(""),
    );
    expect(JSON.parse(readFileSync(join(directory, "export-manifest.json"), "utf8"))).toEqual({
      blockHeight: 7,
      artifactMode: "operational",
      data: "export-data.jsonl",
      artifacts: [
        ["partition.-1", "partition-global.json"],
        ["partition.0", "partition-00000.json"],
        ["partition.1", "partition-00001.json"],
        ["partition.2", "partition-00002.json"],
      ],
      snapshot: {
        formatVersion: 1,
        timestamp,
        networkHash: data.networkHash,
        numPartitions: 3,
        ...size,
        digest: hashText(exportData),
      },
    });
  });

  it.each(["none", "gzip"] as const)(
    "does not depend on the order in which its partitions arrive (%s)",
    async (compression) => {
      const one = await publish(temporaryDirectory(), compression);
      const other = await publish(temporaryDirectory(), compression, asPartitions([2, -1, 1, 0]));
      const names = readdirSync(one.directory).filter((file) => !["run.json", "evidence"].includes(file));
      expect(
        names.filter((file) => file.endsWith(compression === "gzip" ? ".json.gz" : ".json")).length,
      ).toBeGreaterThan(3);
      for (const file of names) {
        expect(
          readFileSync(join(one.directory, file)).equals(readFileSync(join(other.directory, file))),
          file,
        ).toBe(true);
      }
    },
  );

  it("is compressed without time, name and system in the gzip headers", async () => {
    const { directory, manifest } = await publish(temporaryDirectory(), "gzip");
    expect(manifest.artifacts).toContainEqual(["partition.0", "partition-00000.json.gz"]);
    const compressed = readFileSync(join(directory, "partition-00000.json.gz"));
    expect([...compressed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    expect(gunzipSync(compressed).toString()).toBe(preimages.get(asPartition(0)));
  });

  it("replaces an older one", async () => {
    const out = temporaryDirectory();
    mkdirSync(join(out, name));
    writeFileSync(join(out, name, "old"), "");
    const { directory } = await publish(out);
    expect(readdirSync(out)).toEqual([name]);
    expect(readdirSync(directory)).not.toContain("old");
  });
});

describe("a snapshot that cannot be published", () => {
  it("changes neither the older one nor its own partial directory", async () => {
    const out = temporaryDirectory();
    await publish(out);
    const before = readFileSync(join(out, name, "run.json"), "utf8");
    const partial = await open(out);
    await accept(partial, [-1, 0, 1]);
    await expect(partial.complete(data, size, evidence, emptyRun)).rejects.toMatchObject({ code: "disk" });
    expect(readFileSync(join(out, name, "run.json"), "utf8")).toBe(before);
    expect(readdirSync(partial.directory)).toEqual(expect.arrayContaining(["partition-00000.json"]));
    expect(readdirSync(partial.directory)).not.toContain("export-manifest.json");
  });

  it("leaves no directory that looks complete", async () => {
    const out = temporaryDirectory();
    const partial = await open(out);
    await accept(partial, [0]);
    await expect(partial.complete(data, size, evidence, emptyRun)).rejects.toMatchObject({ code: "disk" });
    expect(existsSync(join(out, name))).toBe(false);
  });

  it("fails with the code disk if nothing can be written", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(open(file)).rejects.toMatchObject({ name: "SnapshotError", code: "disk" });
  });
});

describe("a killed run", () => {
  it("has its older snapshot restored if it was killed between the two renames", async () => {
    const out = temporaryDirectory();
    await publish(out);
    renameSync(join(out, name), join(out, `.${name}.replaced`));
    await open(out);
    expect(readdirSync(join(out, name))).toContain("export-manifest.json");
    expect(readdirSync(out)).not.toContain(`.${name}.replaced`);
  });

  it("has its older snapshot removed if it was killed after the two renames", async () => {
    const out = temporaryDirectory();
    await publish(out);
    mkdirSync(join(out, `.${name}.replaced`));
    await open(out);
    expect(readdirSync(join(out, name))).toContain("export-manifest.json");
    expect(readdirSync(out)).not.toContain(`.${name}.replaced`);
  });

  it.each(["none", "gzip"] as const)(
    "is resumed with the artifacts that have the agreed hash (%s)",
    async (compression) => {
      const out = temporaryDirectory();
      await accept(await open(out, compression), [-1, 0, 1]);
      const again = await open(out, compression);
      const resume = (partition: number, hash = partitionHashes.get(asPartition(partition)) ?? "") =>
        again.resume(asPartition(partition), asHashHex(hash));
      const text = preimages.get(asPartition(0)) ?? "";
      expect(await resume(0)).toMatchObject({
        hash: hashText(text),
        accounts: 6,
        bytes: Buffer.byteLength(text),
      });
      expect(await resume(1, partitionHashes.get(asPartition(2)))).toBeUndefined();
      expect(await resume(2)).toBeUndefined();
      const left = readdirSync(again.directory).filter((file) => file.startsWith("partition-"));
      const suffix = compression === "gzip" ? ".gz" : "";
      expect(left.sort()).toEqual([`partition-00000.json${suffix}`, `partition-global.json${suffix}`]);
    },
  );

  it.each([
    { id: "truncated", compression: "none", content: (text: Buffer) => text.subarray(0, -1) },
    { id: "empty", compression: "none", content: () => Buffer.alloc(0) },
    { id: "truncated", compression: "gzip", content: (text: Buffer) => text.subarray(0, -1) },
    { id: "not gzip", compression: "gzip", content: () => Buffer.from(preimages.get(asPartition(0)) ?? "") },
  ] as const)(
    "is not resumed with an artifact that is $id ($compression)",
    async ({ compression, content }) => {
      const out = temporaryDirectory();
      const partial = await open(out, compression);
      await accept(partial, [0]);
      const path = join(partial.directory, `partition-00000.json${compression === "gzip" ? ".gz" : ""}`);
      writeFileSync(path, content(readFileSync(path)));
      const again = await open(out, compression);
      expect(
        await again.resume(asPartition(0), asHashHex(partitionHashes.get(asPartition(0)) ?? "")),
      ).toBeUndefined();
      expect(existsSync(path)).toBe(false);
    },
  );

  it("has its partly received responses removed", async () => {
    const out = temporaryDirectory();
    const partial = await open(out);
    writeFileSync(partial.incomingPath(3, asPartition(1)), "[{");
    await accept(await open(out), preimages.keys());
    expect(existsSync(partial.incomingPath(3, asPartition(1)))).toBe(false);
  });

  it("leaves no unexpected file in the snapshot", async () => {
    const out = temporaryDirectory();
    const partial = await open(out);
    for (const stranger of [
      "partition-00007.json",
      "partition-00000.json.gz",
      "export-manifest.json",
      ".hidden",
    ]) {
      writeFileSync(join(partial.directory, stranger), "x");
    }
    mkdirSync(join(partial.directory, "evidence", "more"), { recursive: true });
    const { directory } = await publish(out);
    expect(readdirSync(directory).sort()).toEqual([...files, ...artifacts].sort());
    expect(readdirSync(join(directory, "evidence"))).not.toContain("more");
  });
});
